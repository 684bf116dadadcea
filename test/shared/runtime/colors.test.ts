import { describe, expect, it } from 'vitest';
import { wantsColors } from '../../../shared/runtime/colors.ts';

describe('colors', () => {
  it.each([
    ['at a terminal', {}, true, true],
    ['in a pipe', {}, false, false],
    ['on a build server', { CI: 'true' }, false, false],
    ['at a terminal that cannot', { TERM: 'dumb' }, true, false],
    ['at a terminal, by a person who wants none', { NO_COLOR: '1' }, true, false],
    ['in a pipe, by a person who wants them', { FORCE_COLOR: '1' }, false, true],
    ['at a terminal, forced off', { FORCE_COLOR: '0' }, true, false],
    ['both asked for and not', { FORCE_COLOR: '1', NO_COLOR: '1' }, true, false],
  ])('%s', (_, env, isTTY, expected) => {
    expect(wantsColors(env, { isTTY })).toBe(expected);
    if (!isTTY) expect(wantsColors(env, {})).toBe(expected);
  });
});
