import type { OutboxRow } from '../../contracts/outbox/outbox-store.ts';
import * as rpc from '../../contracts/rpc.ts';
import * as fileBlobs from '../../coordinator/blobs/file-blob-store.ts';
import * as uploadStore from '../../coordinator/blobs/upload-store.ts';
import * as jobRunner from '../../coordinator/runner.ts';
import * as lmdb from '../../coordinator/stores/lmdb-store.ts';
import * as control from '../../coordinator/transports/control-handlers.ts';
import type { Hex } from '../../shared/bytes.ts';
import { TREE } from '../../shared/commitments/merkle-tree.ts';
import { blockRoot, int32Vector } from '../../shared/commitments/vector-trees.ts';
import { around } from './faults.ts';

// The coordinator's ports with a boundary before and after each of their effects. program.ts puts them in the place of
// the real ones, which they work through.

export const openLmdbStores: typeof lmdb.openLmdbStores = (...args) => {
  const stores = lmdb.openLmdbStores(...args);
  const { append } = stores.events;
  const { put } = stores.outbox;
  const stateOf = ({ state }: OutboxRow): string => `outbox: row ${state} is kept`;
  return {
    ...stores,
    events: {
      ...stores.events,
      // Events that share a write are there together or not at all: the write is a boundary of each of their kinds.
      append: (events) =>
        [...new Set(events.map(({ type }) => type))].reduceRight<() => Promise<void>>(
          (write, type) => () => around(`log: ${type} is appended`, write),
          () => append(events),
        )(),
    },
    outbox: { ...stores.outbox, put: (row) => around(stateOf(row), () => put(row)) },
  };
};

export const createFileBlobStore: typeof fileBlobs.createFileBlobStore = async (...args) => {
  const store = await fileBlobs.createFileBlobStore(...args);
  // One after the other, so that there is a boundary between any two of a round's blobs.
  let turn: Promise<unknown> = Promise.resolve();
  return {
    ...store,
    put: (id, bytes) => {
      const stored = turn.then(() => around(`blob: ${kindOf(id, bytes)} is stored`, () => store.put(id, bytes)));
      turn = stored.catch(() => undefined);
      return stored;
    },
  };
};

function kindOf(id: Hex, bytes: Uint8Array): string {
  if (bytes[0] === '{'.charCodeAt(0)) return 'document';
  if (bytes.length % 256 !== 0) return 'update';
  if (blockRoot(TREE.model, int32Vector(bytes)) === id) return 'model';
  return blockRoot(TREE.aggregate, int32Vector(bytes)) === id ? 'aggregate' : 'update';
}

export const createUploadStore: typeof uploadStore.createUploadStore = (...args) => {
  const store = uploadStore.createUploadStore(...args);
  return {
    ...store,
    offer: (...offer) => around('upload: offer is taken', () => store.offer(...offer)),
    putPart: (...part) => around('upload: part is kept', () => store.putPart(...part)),
    discard: (participant) => around('upload: parts are dropped', () => store.discard(participant)),
    clear: () => around('upload: all parts are dropped', () => store.clear()),
  };
};

export const connectRpc: typeof rpc.connectRpc = (options) => {
  const node = rpc.connectRpc(options);
  return {
    ...node,
    url: node.url,
    call: (method, parameters) =>
      method === 'eth_sendRawTransaction'
        ? around('chain: transaction is broadcast', () => node.call(method, parameters))
        : node.call(method, parameters),
  };
};

export const startJobRunner: typeof jobRunner.startJobRunner = async (options) => {
  const runner = await jobRunner.startJobRunner({
    ...options,
    anchor: (record) => around('chain: record is anchored', () => options.anchor(record)),
  });
  const subscribe: typeof runner.subscribe = (listener) =>
    runner.subscribe((event, state) => {
      void around(`announce: ${state.phase}`, async () => listener(event, state));
    });
  return new Proxy(runner, { get: (target, name) => (name === 'subscribe' ? subscribe : Reflect.get(target, name)) });
};

export const createControlHandlers: typeof control.createControlHandlers = (options) => {
  const handlers = control.createControlHandlers(options);
  const faulty = Object.entries(handlers).map(([name, handle]) => {
    const work = handle as (...args: unknown[]) => Promise<unknown>;
    return [name, (...args: unknown[]) => around(`answer: ${name}`, () => work(...args))];
  });
  return Object.fromEntries(faulty) as typeof handlers;
};
