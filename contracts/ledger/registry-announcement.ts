import type { Interface } from 'ethers';
import { z } from 'zod';
import { fromHex, type Hex, toHex, utf8 } from '../../shared/bytes.ts';

/** What is said beside a registration to whoever looks for a job. A hint: nothing about the job depends on it. */
export interface Announcement {
  /** Where the job's coordinator is, such as `https://federation.example`. */
  readonly coordinatorUrl: string;
}

const MARK = 'fedanchor/announcement/1:';
const MOST_BYTES = 1024;

const schema = z.strictObject({ coordinatorUrl: z.string().max(500) });

/**
 * Puts an announcement behind a call's arguments. Calldata beyond the arguments means nothing to a contract (the ABI's
 * decoder reads by offsets and passes over it), costs 16 gas a byte and lies in the transaction for good. It is said by
 * whoever registers, who is the job's coordinator or guardian, as the contract checks.
 */
export function announce(data: Hex, { coordinatorUrl }: Announcement): Hex {
  return `${data}${toHex(utf8(`${MARK}${JSON.stringify({ coordinatorUrl })}`)).slice(2)}`;
}

/**
 * Reads what was said beside a call; undefined where nothing was, or nothing that can be understood.
 *
 * @param abi - of the contract that was called
 * @param name - of the function that was called
 * @param input - the transaction's calldata
 */
export function readAnnouncement(abi: Interface, name: string, input: Hex): Announcement | undefined {
  try {
    const words = abi.encodeFunctionData(name, [...abi.decodeFunctionData(name, input)]);
    if (!input.startsWith(words) || (input.length - words.length) / 2 > MOST_BYTES) return undefined;
    const text = new TextDecoder('utf-8', { fatal: true }).decode(fromHex(`0x${input.slice(words.length)}`));
    if (!text.startsWith(MARK)) return undefined;
    return schema.parse(JSON.parse(text.slice(MARK.length)));
  } catch {
    // Whatever else lies there was not meant for us.
    return undefined;
  }
}
