import { FedanchorError } from '../../shared/errors.ts';

/** Thrown when an agent's memory cannot be used. */
export class AgentError extends FedanchorError<'agent/bad-state'> {}
