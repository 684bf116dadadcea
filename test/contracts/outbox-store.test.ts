import { createMemoryOutboxStore } from '../../contracts/outbox/outbox-store.ts';
import { describeOutboxStore } from '../conformance/outbox-store.ts';

describeOutboxStore('memory', async () => ({ store: createMemoryOutboxStore() }));
