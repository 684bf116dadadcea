/** Variable of the environment that may hold the server's address, with a password in it. */
export const REDIS_VARIABLE = 'FEDANCHOR_REDIS_URL';

/** Name of the queue unless another is given. */
export const DEFAULT_QUEUE = 'fedanchor-simulations';
