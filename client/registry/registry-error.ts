import { FedanchorError } from '../../shared/errors.ts';

/** Thrown when something cannot be found in, or entered into, the Registry. */
export class RegistryError extends FedanchorError<
  'registry/no-registry' | 'registry/unknown' | 'registry/not-anchored' | 'registry/not-for-sale' | 'registry/bad-salt'
> {}
