import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { assignFolders } from '../../client/data/folder-assignment.ts';
import { assignPackages, type ClientText } from '../../client/data/package-assignment.ts';
import { packageRoot } from '../../contracts/package-root.ts';
import { createWallet, type Signer } from '../../contracts/wallet.ts';
import { concatBytes, type Hex, toHex, utf8, word } from '../../shared/bytes.ts';
import { sha256Digest } from '../../shared/commitments/hashing.ts';
import { FedanchorError } from '../../shared/errors.ts';
import type { DemoOptions } from './options.ts';

/** Thrown when there is not enough data for the participants asked for. */
export class ParticipantsError extends FedanchorError<'demo/too-few-folders'> {}

/** A party with a wallet. */
export interface Party {
  /** Name on the screen. */
  readonly name: string;
  /** Its wallet. */
  readonly signer: Signer;
  /** File with its key, readable by its owner only. */
  readonly keyFile: string;
}

/** One who trains. */
export interface Participant extends Party {
  /** What it is. */
  readonly role: 'honest' | 'attacker';
  /** Where its data comes from. */
  readonly text: ClientText;
}

/** Everyone in a demonstration. */
export interface Cast {
  /** Runs the coordinator. */
  readonly operator: Party;
  /** Pays the rewards. */
  readonly sponsor: Party;
  /** Recomputes rounds where the coordinator cheats. */
  readonly watcher: Party;
  /** Those who train, honest first. */
  readonly participants: readonly Participant[];
}

/**
 * Gives every participant a wallet and data of its own. Keys follow from the seed, so that a demonstration repeats
 * itself; they are worth nothing on any other chain.
 *
 * @param folder - where key files go
 * @param options - numbers of participants, data folder, seed
 * @throws ParticipantsError `demo/too-few-folders`; DataError
 */
export async function castParticipants(folder: string, options: DemoOptions): Promise<Cast> {
  const { clients, attackers, data, seed } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const party = async (name: string): Promise<Party> => {
    const key = sha256Digest(concatBytes(utf8(`fedanchor demo key ${name}`), word(seed)));
    const keyFile = join(folder, `${name}.key`);
    await writeFile(keyFile, toHex(key), { mode: 0o600 });
    return { name, signer: createWallet(toHex(key)), keyFile };
  };

  const count = clients + attackers;
  const texts =
    data === undefined ? await assignPackages(join(packageRoot(), 'node_modules'), count) : await assignFolders(data);
  if (texts.length < count) {
    throw new ParticipantsError(
      'demo/too-few-folders',
      `${data} has ${texts.length} sub-folders where ${count} participants need one each: add some or lower --clients`,
    );
  }
  const participants = await Promise.all(
    Array.from({ length: count }, async (_, index): Promise<Participant> => {
      const attacker = index >= clients;
      const name = attacker ? `attacker-${index - clients + 1}` : `client-${index + 1}`;
      return { ...(await party(name)), role: attacker ? 'attacker' : 'honest', text: texts[index] as ClientText };
    }),
  );
  const [operator, sponsor, watcher] = [await party('operator'), await party('sponsor'), await party('watcher')];
  return { operator, sponsor, watcher, participants };
}

/** What a participant's data is called on the screen. */
export function describeText({ names }: ClientText): string {
  return names.map((name) => basename(name)).join(', ');
}

/** Addresses in participant order, as rounds order them. */
export function addressesOf(participants: readonly Participant[]): Hex[] {
  return participants.map(({ signer }) => signer.address).sort();
}
