import { createMemoryEventStore } from '../../../coordinator/stores/memory-event-store.ts';
import { describeEventStore } from '../../conformance/event-store.ts';

describeEventStore('memory', async () => ({ store: createMemoryEventStore() }));
