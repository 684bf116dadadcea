import fc from 'fast-check';

/**
 * Property tests draw from one seed, so that a change is taken or refused for what it is and not by the luck of the draw.
 * `FEDANCHOR_FUZZ_SEED` names another one; `random` leaves each test its own, which it prints when it fails.
 */
const DEFAULT_SEED = 20_261_121;

const given = process.env['FEDANCHOR_FUZZ_SEED'];
if (given !== 'random') fc.configureGlobal({ seed: given === undefined ? DEFAULT_SEED : Number(given) });
