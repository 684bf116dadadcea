import { FedanchorError } from '../../shared/errors.ts';

/** Thrown when an agent cannot do what its policy would have it do. */
export class AgentError extends FedanchorError<
  'agent/no-registry' | 'agent/bad-state' | 'agent/no-data' | 'agent/no-address' | 'agent/private-address'
> {}
