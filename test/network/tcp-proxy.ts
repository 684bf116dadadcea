import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A bad line: a proxy on loopback between a client and its coordinator. */
export interface TcpProxy {
  /** Where the client believes that the coordinator is. */
  readonly url: string;
  /** Every byte takes so long from now on, each way. */
  delay(delayMs: number): void;
  /** Breaks every connection now. */
  cut(): void;
  /** Breaks the next connections, each after it has carried so many bytes towards the coordinator. */
  cutAfter(bytes: number, times: number): void;
  /** Nothing gets through either way and nobody is told: connections stay open at both ends, new ones are never answered. */
  partition(): void;
  /** What was held back gets through, and all that follows. */
  heal(): void;
  /** The coordinator hears no more of connections that are open now, while the client does: half of each is gone. */
  muteClient(): void;
  /** Connections so far. */
  readonly accepted: number;
  /** Resolves when so many connections have been accepted. */
  reached(count: number): Promise<void>;
}

/** One connection through the proxy. */
interface Line {
  readonly client: Socket;
  readonly coordinator: Socket;
  sent: number;
  isMute: boolean;
}

/** Starts a proxy to an address on this machine. */
export async function startProxy(target: string): Promise<TcpProxy> {
  const { hostname, port, protocol } = new URL(target);
  const lines = new Set<Line>();
  const waiting: { count: number; resolve: () => void }[] = [];
  /** What a partition holds back, in order. */
  let held: (() => void)[] | undefined;
  let delayMs = 0;
  let accepted = 0;
  let cuts = { bytes: 0, times: 0 };

  const later = (work: () => void): void => {
    if (held) held.push(work);
    else if (delayMs > 0) setTimeout(() => (held ? held.push(work) : work()), delayMs);
    else work();
  };
  const end = (line: Line): void => {
    lines.delete(line);
    line.client.destroy();
    line.coordinator.destroy();
  };
  const carry = (line: Line, from: Socket, to: Socket): void => {
    from.on('data', (bytes: Buffer) => {
      if (from === line.client) {
        if (line.isMute) return;
        line.sent += bytes.length;
        if (cuts.times > 0 && line.sent >= cuts.bytes) {
          cuts.times--;
          return end(line);
        }
      }
      // A slow receiver slows its sender down, as on a real line.
      from.pause();
      later(() => {
        to.write(bytes, () => from.resume());
      });
    });
    from.on('error', () => {});
    from.on('close', () => later(() => end(line)));
  };

  const server = createServer((client) => {
    accepted++;
    for (const each of waiting) if (accepted >= each.count) each.resolve();
    const coordinator = connect({ host: hostname, port: Number(port) });
    const line: Line = { client, coordinator, sent: 0, isMute: false };
    lines.add(line);
    carry(line, client, coordinator);
    carry(line, coordinator, client);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(async () => {
    for (const line of lines) end(line);
    await new Promise((resolve) => server.close(resolve));
  });

  return {
    url: `${protocol}//127.0.0.1:${(server.address() as AddressInfo).port}`,
    delay: (ms) => {
      delayMs = ms;
    },
    cut: () => {
      for (const line of lines) end(line);
    },
    cutAfter: (bytes, times) => {
      cuts = { bytes, times };
    },
    partition: () => {
      held ??= [];
    },
    heal: () => {
      const released = held ?? [];
      held = undefined;
      for (const work of released) work();
    },
    muteClient: () => {
      for (const line of lines) line.isMute = true;
    },
    get accepted() {
      return accepted;
    },
    reached: (count) =>
      new Promise((resolve) => {
        if (accepted >= count) resolve();
        else waiting.push({ count, resolve });
      }),
  };
}
