import type { Hex } from '../../shared/bytes.ts';
import type { Answer } from '../../shared/openings/answer.ts';
import { ANSWER_TYPES, abiEncode } from './court-abi.ts';

/** An answer's bytes as its judge decodes them. */
export function encodeAnswer(answer: Answer): Hex {
  return abiEncode([ANSWER_TYPES[answer.kind]], [answer.kind === 'padding' ? answer.proofs : answer]);
}
