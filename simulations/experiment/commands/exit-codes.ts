/** Exit code of a program that was interrupted, by the custom of shells. */
export const INTERRUPTED = 130;
/** Exit code when some runs failed, or a full disk ended the rest. */
export const INCOMPLETE = 1;
/** Exit code when nothing was begun because it cannot be so. */
export const IMPOSSIBLE = 2;
