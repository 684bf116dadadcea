import { FedanchorError } from '../../shared/errors.ts';

/** Thrown when a run cannot be made, or cannot go on. */
export class SimulationError extends FedanchorError<
  | 'simulation/bad-rule-file'
  | 'simulation/rule-not-committable'
  | 'simulation/bad-training'
  | 'simulation/empty-client'
  | 'simulation/nobody-answered'
  | 'simulation/diverged'
  | 'simulation/state-unwritable'
> {}

/** The reason of a run that left the numbers that a model can have: an outcome, not a fault. */
export function diverged(message: string, data: Readonly<Record<string, unknown>>): SimulationError {
  return new SimulationError('simulation/diverged', message, data);
}
