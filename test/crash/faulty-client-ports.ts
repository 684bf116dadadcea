import * as fileJournal from '../../client/journal/file-journal.ts';
import * as httpBulk from '../../client/transports/http-bulk.ts';
import * as socketControl from '../../client/transports/socket-control.ts';
import { around } from './faults.ts';

// The client's ports with a boundary before and after each of their effects; see faulty-coordinator-ports.ts.

export const createFileJournal: typeof fileJournal.createFileJournal = (options) => {
  const journal = fileJournal.createFileJournal(options);
  return {
    ...journal,
    find: (key) => around('journal: what was signed is looked up', () => journal.find(key)),
    sign: (statement, bytes) => around('journal: statement is signed', () => journal.sign(statement, bytes)),
    keepReceipt: (receipt) => around('journal: receipt is kept', () => journal.keepReceipt(receipt)),
  };
};

export const createHttpBulk: typeof httpBulk.createHttpBulk = (options) => {
  const bulk = httpBulk.createHttpBulk(options);
  return {
    ...bulk,
    getBlob: (...args) => around('fetch: blob', () => bulk.getBlob(...args)),
    putPart: (...args) => around(`send: part ${args[2] + 1}`, () => bulk.putPart(...args)),
  };
};

export const createSocketControl: typeof socketControl.createSocketControl = (options) => {
  const control = socketControl.createSocketControl(options);
  const request: typeof control.request = (name, payload) =>
    around(`ask: ${name}`, () => control.request(name, payload));
  return { ...control, request };
};
