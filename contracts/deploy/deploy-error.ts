import { FedanchorError } from '../../shared/errors.ts';

/** Thrown when something cannot be deployed as asked. */
export class DeployError extends FedanchorError<
  | 'deploy/invalid-parameter'
  | 'deploy/invalid-court'
  | 'deploy/no-address'
  | 'deploy/no-deployment'
  | 'deploy/no-factory'
  | 'deploy/elsewhere'
  | 'deploy/foreign-code'
  | 'deploy/other-terms'
> {}
