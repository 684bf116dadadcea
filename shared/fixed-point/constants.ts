/** Coordinates in a block: the unit of padding, of matrix leaves and of on-chain disputes. */
export const BLOCK = 64;

/** Largest magnitude of one coordinate of an update: 14 bits with the sign, so that 16 products of two sum within 2^31. */
export const MAX_UPDATE = 8191;

/**
 * Binary places an aggregate has beyond an update's. A mean of n updates falls between update units; eight more places
 * keep what the rounding to a whole unit would lose, and an aggregate (22 bits) still multiplies exactly in doubles.
 */
export const AGGREGATE_FRACTION_BITS = 8;

/** The whole of a weight vector: aggregation weights are integers that sum to exactly this. */
export const WEIGHT_ONE = 2 ** 30;

/** Binary places of a model coordinate unless the manifest says otherwise: weights within ±128. */
export const DEFAULT_FRACTION_BITS = 24;

/** Binary places of the server's learning rate: 65536 is a rate of 1. */
export const LEARNING_RATE_BITS = 16;

/** Binary places of what a server step keeps of its moments from round to round (`momentum`, `beta1`, `beta2`). */
export const MOMENTS_DENOMINATOR_BITS = 16;

/** Binary places of the degree of adaptivity of an adaptive server step (`tau`). */
export const TAU_BITS = 30;

/** Binary places that a momentum has beyond its model coordinate's. */
export const MOMENTUM_FRACTION_BITS = 4;
