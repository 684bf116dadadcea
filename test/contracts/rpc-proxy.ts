import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How a proxy behaves now. */
export type Mood =
  | 'well'
  | 'hangs'
  | 'hangs up'
  | 'too many requests'
  | 'too many requests, as an error'
  | 'bad gateway'
  | 'not JSON'
  | 'JSON without a result'
  | 'results of the wrong kind'
  | { readonly chainId: string }
  | { readonly blocksBehind: number };

/** A server in front of a node, which can be made to fail in the ways that nodes and gateways do. */
export interface RpcProxy extends AsyncDisposable {
  readonly url: string;
  mood: Mood;
  /** Methods that were asked for, in order. */
  readonly asked: string[];
  /** Headers of the latest request. */
  headers: IncomingMessage['headers'];
}

export async function startProxy(target: string): Promise<RpcProxy> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    // The node behind may be gone: then so is this connection.
    read(request)
      .then((body) => answer(body, request, response))
      .catch(() => request.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const proxy: RpcProxy = {
    ...{ url: `http://127.0.0.1:${port}`, mood: 'well' as Mood, asked, headers: {} },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;

  async function answer(body: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { id, method, params } = JSON.parse(body) as { id: number; method: string; params: unknown[] };
    asked.push(method);
    proxy.headers = request.headers;
    const say = (status: number, text: string, headers = {}) => response.writeHead(status, headers).end(text);
    const result = (value: unknown) => say(200, JSON.stringify({ jsonrpc: '2.0', id, result: value }));
    const { mood } = proxy;
    if (mood === 'hangs') return;
    if (mood === 'hangs up') return void request.socket.destroy();
    if (mood === 'too many requests') return void say(429, 'slow down', { 'retry-after': '0' });
    if (mood === 'too many requests, as an error') {
      const error = { code: -32005, message: 'daily request count exceeded, request rate limited' };
      return void say(200, JSON.stringify({ jsonrpc: '2.0', id, error }));
    }
    if (mood === 'bad gateway') return void say(502, '<html>Bad Gateway</html>');
    if (mood === 'not JSON') return void say(200, '<html>Welcome</html>');
    if (mood === 'JSON without a result') return void say(200, '{"jsonrpc":"2.0"}');
    if (mood === 'results of the wrong kind') return void result('banana');
    if (typeof mood === 'object' && 'chainId' in mood && method === 'eth_chainId') return void result(mood.chainId);
    const upstream = await fetch(target, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    const text = await upstream.text();
    if (typeof mood === 'object' && 'blocksBehind' in mood) {
      const found = JSON.parse(text) as { result: string & { number: string } };
      const behind = (number: string) => `0x${Math.max(0, Number(number) - mood.blocksBehind).toString(16)}`;
      if (method === 'eth_blockNumber') return void result(behind(found.result));
      if (method === 'eth_getBlockByNumber' && params[0] === 'latest') {
        return void result({ ...(found.result as object), number: behind(found.result.number) });
      }
    }
    say(upstream.status, text);
  }
}

async function read(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += chunk;
  return body;
}
