import { describe, expect, it } from 'vitest';
import { fetchAhead } from '../../../client/auditor/fetch-ahead.ts';
import type { Hex } from '../../../shared/bytes.ts';

const [one, other]: Hex[] = [`0x${'01'.repeat(32)}`, `0x${'02'.repeat(32)}`];

function source(fails = false) {
  const asked: string[] = [];
  const get = async (id: Hex, mostBytes: number) => {
    asked.push(`${id.slice(-1)} ${mostBytes}`);
    if (fails) throw new Error('away');
    return new Uint8Array([1]);
  };
  return { asked, ahead: fetchAhead({ get }) };
}

describe('fetchAhead', () => {
  it('asks once for what was begun, and again for what is wanted again', async () => {
    const { asked, ahead } = source();
    ahead.begin(one as Hex, 7);
    ahead.begin(one as Hex, 7);
    expect(asked).toEqual(['1 7']);
    expect(await ahead.get(one as Hex, 7)).toEqual(new Uint8Array([1]));
    expect(asked).toEqual(['1 7']);
    await ahead.get(one as Hex, 7);
    await ahead.get(other as Hex, 3);
    expect(asked).toEqual(['1 7', '1 7', '2 3']);
  });

  it('leaves a failure to whoever gets it, and to nobody where nobody does', async () => {
    const { ahead } = source(true);
    ahead.begin(one as Hex, 7);
    ahead.begin(other as Hex, 7);
    await expect(ahead.get(one as Hex, 7)).rejects.toThrow('away');
  });
});
