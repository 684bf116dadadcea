import fc from 'fast-check';

/** Every route there is, and some that are not. */
const ROUTES = [
  '/healthz',
  '/readyz',
  '/metrics',
  '/jobs/:/blobs/:',
  '/jobs/:/uploads/:/parts/:',
  '/socket.io/?EIO=:&transport=:',
  '/socket.io/?EIO=4&transport=websocket&sid=:',
  '/:',
  '*',
  'http://x/healthz',
];
const METHODS = [
  'GET',
  'HEAD',
  'PUT',
  'POST',
  'DELETE',
  'OPTIONS',
  'PATCH',
  'TRACE',
  'CONNECT',
  'PROPFIND',
  'get',
  'X',
];
const SEGMENTS = [
  '0',
  '1',
  '-1',
  '1e9',
  '%00',
  '%',
  '..',
  '%2e%2e',
  '..%2f..',
  'x'.repeat(300),
  '__proto__',
  '',
  'é',
  '4',
];

/** Headers with values that mean something, or that should. */
const HEADERS: Readonly<Record<string, readonly string[]>> = {
  host: ['x', '', 'a b', '[::1]'],
  'content-type': ['application/octet-stream', 'application/json', 'text/plain', 'multipart/form-data', ';;', ''],
  'content-encoding': ['identity', 'gzip', 'br', ''],
  'content-length': ['0', '1', '384', '-1', '1048577', '99999999999999999999', 'x', '0x10'],
  'transfer-encoding': ['chunked', 'identity', 'gzip, chunked', 'x'],
  connection: ['close', 'keep-alive', 'upgrade', 'host'],
  expect: ['100-continue', 'x'],
  range: ['bytes=0-', 'bytes=-1', 'bytes=5-1', 'bytes=0-0,1-1', 'bytes=0-99999999999999999999', 'x=0-1', 'bytes='],
  upgrade: ['websocket', 'h2c', ''],
  'sec-websocket-key': ['dGhlIHNhbXBsZSBub25jZQ==', 'x'],
  'sec-websocket-version': ['13', '8', 'x'],
  'if-none-match': ['*', '""', 'W/"x"'],
  'if-modified-since': ['x', 'Thu, 01 Jan 1970 00:00:00 GMT'],
  'x-forwarded-for': ['1.2.3.4', 'x', ',,,', '::1'],
  origin: ['https://evil.example', 'null'],
  cookie: ['a=b', '__proto__=x'],
};

/**
 * Requests as bytes: in the form of HTTP, or damaged.
 *
 * @param segments - parts of paths that mean something to the coordinator
 * @param tokens - of sessions
 */
export function httpRequests(segments: readonly string[], tokens: readonly string[]): fc.Arbitrary<Uint8Array> {
  const segment = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...segments) },
    fc.constantFrom(...SEGMENTS),
    fc.string({ maxLength: 20 }).map(encodeURIComponent),
  );
  const path = fc
    .tuple(fc.constantFrom(...ROUTES), fc.array(segment, { minLength: 3, maxLength: 3 }))
    .map(([route, values]) => values.reduce((made, value) => made.replace(/:(?!\/\/)/, () => value), route));
  const header = fc.oneof(
    fc
      .constantFrom(...Object.entries(HEADERS))
      .chain(([name, values]) => fc.constantFrom(...values).map((value) => `${name}: ${value}`)),
    fc.constantFrom(...tokens, 'x', '').map((token) => `authorization: Bearer ${token}`),
    fc.string({ maxLength: 40 }),
  );
  const head = fc
    .tuple(
      fc.constantFrom(...METHODS),
      path,
      fc.constantFrom('HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', ''),
      fc.array(header, { maxLength: 6 }),
    )
    .map(([method, target, version, headers]) =>
      [`${method} ${target} ${version}`, 'host: x', ...headers].join('\r\n'),
    );
  const inForm = fc
    .tuple(head, fc.oneof(fc.uint8Array({ maxLength: 500 }), fc.constant(new Uint8Array(384))))
    .map(([text, body]) => Buffer.concat([Buffer.from(`${text}\r\n\r\n`, 'latin1'), body]));
  const broken = fc
    .tuple(inForm, fc.array(fc.tuple(fc.nat(1000), fc.nat(255)), { minLength: 1, maxLength: 8 }))
    .map(([bytes, changes]) => {
      const changed = Uint8Array.from(bytes);
      for (const [at, value] of changes) changed[at % changed.length] = value;
      return changed;
    });
  return fc.oneof(
    { weight: 4, arbitrary: inForm },
    { weight: 2, arbitrary: broken },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
  );
}
