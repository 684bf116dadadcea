import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Wallet } from 'ethers';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWallet, loadWallet, recoverAddress } from '../../contracts/wallet.ts';
import { fromHex, type Hex } from '../../shared/bytes.ts';
import { hash } from './harness.ts';

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
// The first account of Foundry's and Hardhat's public test mnemonic.
const KEY = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80';
const ADDRESS = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fedanchor-wallet-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function keyFile(name: string, text: string, mode = 0o600): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  await chmod(file, mode);
  return file;
}

describe('signing', () => {
  it('has the published address of a published key', () => {
    expect(createWallet(KEY).address).toBe(ADDRESS);
  });

  it('signs as RFC 6979 prescribes (vector of Trezor, key 1, "Satoshi Nakamoto")', () => {
    const one = createWallet(`0x${'1'.padStart(64, '0')}`);
    // SHA-256 of the text; r and s as in trezor-crypto's test_rfc6979 and bitcoinjs' fixtures.
    const digest = fromHex('0xa0dc65ffca799873cbea0ac274015b9526505daaaed385155425f7337704883e');
    expect(one.signDigest(digest).slice(0, 130)).toBe(
      '0x934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d82442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5',
    );
  });

  it('signs so that its address is recovered, with low s, always alike', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.string(), (digest, name) => {
        const signer = createWallet(hash(name));
        const signature = signer.signDigest(digest);
        expect(signature).toMatch(/^0x[0-9a-f]{130}$/);
        expect(signer.signDigest(digest)).toBe(signature);
        expect(recoverAddress(digest, signature)).toBe(signer.address);
        expect(BigInt(`0x${signature.slice(66, 130)}`) <= ORDER / 2n).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('refuses malleable, misnumbered, short and impossible signatures', () => {
    const digest = fromHex(hash('digest'));
    const signature = createWallet(KEY).signDigest(digest);
    const [r, s, v] = [signature.slice(0, 66), BigInt(`0x${signature.slice(66, 130)}`), signature.slice(130)];
    const twin = `${r}${(ORDER - s).toString(16).padStart(64, '0')}${v === '1b' ? '1c' : '1b'}`;
    const bad = [twin, `${signature.slice(0, 130)}00`, `${signature.slice(0, 130)}1d`, signature.slice(0, 130), 'no'];
    bad.push(`0x${'ff'.repeat(32)}${signature.slice(66)}`, `0x${'00'.repeat(64)}1b`);
    for (const each of bad) {
      expect(() => recoverAddress(digest, each), each).toThrowError(
        expect.objectContaining({ code: 'wallet/invalid-signature' }),
      );
    }
    expect(() => recoverAddress(digest.subarray(1), signature)).toThrowError(
      expect.objectContaining({ code: 'wallet/invalid-digest' }),
    );
    expect(() => createWallet(KEY).signDigest(digest.subarray(1))).toThrowError(
      expect.objectContaining({ code: 'wallet/invalid-digest' }),
    );
  });

  it('shows its address and nothing else', () => {
    const signer = createWallet(KEY);
    for (const shown of [inspect(signer, { depth: 9, showHidden: true }), JSON.stringify(signer), String(signer)]) {
      expect(shown).not.toContain(KEY.slice(2, 20));
    }
    expect(JSON.parse(JSON.stringify(signer))).toEqual({ address: ADDRESS });
  });
});

describe('loading', () => {
  const invalid = ['', '0x12', KEY.slice(2), `0x${'0'.repeat(64)}`, `0x${ORDER.toString(16)}`, `0x${'g'.repeat(64)}`];
  it.each(invalid)('refuses the key %j and does not repeat it', (key) => {
    try {
      createWallet(key);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: 'wallet/invalid-key' });
      if (key.length > 10) expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(key.slice(2, 30));
    }
  });

  it('reads a key file, named or by FEDANCHOR_KEY_FILE', async () => {
    const file = await keyFile('plain', `${KEY}\n`);
    expect((await loadWallet({ keyFile: file, environment: {} })).address).toBe(ADDRESS);
    expect((await loadWallet({ environment: { FEDANCHOR_KEY_FILE: file } })).address).toBe(ADDRESS);
    await expect(loadWallet({ environment: {} })).rejects.toMatchObject({ code: 'wallet/no-key' });
    await expect(loadWallet({ keyFile: `${file}.not`, environment: {} })).rejects.toMatchObject({
      code: 'wallet/unreadable-file',
    });
  });

  it.skipIf(process.platform === 'win32').each([0o640, 0o604, 0o644, 0o620])(
    'refuses a key file of mode %o',
    async (mode) => {
      const file = await keyFile('exposed', KEY, mode);
      await expect(loadWallet({ keyFile: file, environment: {} })).rejects.toMatchObject({
        code: 'wallet/exposed-file',
        message: expect.stringContaining('chmod 600'),
      });
    },
  );

  it('opens an encrypted keystore with its password only', async () => {
    // A light scrypt (N = 2) keeps the test quick; the format is the same.
    const { encryptKeystoreJson } = await import('ethers');
    const text = await encryptKeystoreJson(new Wallet(KEY), 'secret', { scrypt: { N: 2, r: 1, p: 1 } });
    const file = await keyFile('keystore.json', text, 0o644);
    const open = (password?: string) =>
      loadWallet({ keyFile: file, environment: password === undefined ? {} : { FEDANCHOR_KEY_PASSWORD: password } });
    expect((await open('secret')).address).toBe(ADDRESS satisfies Hex);
    await expect(open('wrong')).rejects.toMatchObject({ code: 'wallet/wrong-password' });
    await expect(open()).rejects.toMatchObject({ code: 'password/none' });
  });
});
