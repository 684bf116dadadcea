import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadArtifact } from '../../contracts/artifacts.ts';
import { announce, readAnnouncement } from '../../contracts/ledger/registry-announcement.ts';
import { type Hex, toHex, utf8 } from '../../shared/bytes.ts';
import { hash, wallet } from './harness.ts';

const { abi } = loadArtifact('Registry');
const NONE = `0x${'00'.repeat(20)}`;
const CALL = abi.encodeFunctionData('register', [
  { anchor: wallet('a').address, vault: wallet('b').address, stakes: NONE, disputes: NONE },
  [hash('rule'), hash('rest')],
  wallet('owner').address,
]) as Hex;

describe('an announcement behind a registration', () => {
  it('is read as it was said', () => {
    fc.assert(
      fc.property(
        fc.webUrl({ validSchemes: ['https'] }).filter((url) => url.length <= 500),
        (coordinatorUrl) => {
          expect(readAnnouncement(abi, 'register', announce(CALL, { coordinatorUrl }))).toEqual({ coordinatorUrl });
        },
      ),
    );
  });

  it('is not there where nothing, or something else, was said', () => {
    expect(readAnnouncement(abi, 'register', CALL)).toBeUndefined();
    expect(readAnnouncement(abi, 'register', '0x')).toBeUndefined();
    const later = utf8('fedanchor/announcement/2:{"coordinatorUrl":"https://federation.example"}');
    expect(readAnnouncement(abi, 'register', `${CALL}${toHex(later).slice(2)}`)).toBeUndefined();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
        expect(readAnnouncement(abi, 'register', `${CALL}${toHex(bytes).slice(2)}`)).toBeUndefined();
      }),
      { numRuns: 30 },
    );
    const long = announce(CALL, { coordinatorUrl: `https://${'a'.repeat(501)}` });
    expect(readAnnouncement(abi, 'register', long)).toBeUndefined();
  });
});
