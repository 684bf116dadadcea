import { writeSync } from 'node:fs';
import { openLmdbStores } from '../../../coordinator/stores/lmdb-store.ts';

// Appends events one after the other and tells of each only once its append has resolved, until it is killed.
const { events } = openLmdbStores(process.argv[2] as string);
for (let at = Number(process.argv[3]); ; at++) {
  await events.append([{ type: 'coordinatorRestarted', at }]);
  writeSync(1, `${at}\n`);
}
