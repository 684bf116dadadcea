import { colors } from '../../shared/runtime/colors.ts';
import type { Divergence } from './divergence.ts';
import type { AuditReport, RoundVerdict, Verdict } from './report.ts';

/** One line on one round: ✓ or ✗, and for the latter what diverged; ○ where only the roots could be held to each other. */
export function roundLine({ round, attempt, modelRoot, holds, divergence, rootsOnly }: RoundVerdict): string {
  const name = `round ${round}${attempt > 0 ? `, attempt ${attempt}` : ''}`;
  if (holds && rootsOnly) {
    const why = 'roots consistent, not recomputable any more: the retention of its updates is over';
    return `${colors.yellow('○')} ${name} · model ${modelRoot.slice(0, 12)}… ${why}`;
  }
  if (holds) return `${colors.green('✓')} ${name} · model ${modelRoot.slice(0, 12)}… recomputed`;
  return `${colors.red('✗')} ${name} · ${divergence ? divergenceText(divergence) : 'does not hold'}`;
}

/** Lines on what is not a round and does not hold: the origin, the vault and the court. */
export function otherLines({ origin, vault, court }: AuditReport & { readonly court?: Verdict }): string[] {
  const lines: string[] = [];
  if (origin.divergence) lines.push(`${colors.red('✗')} origin · ${divergenceText(origin.divergence)}`);
  if (vault?.divergence) lines.push(`${colors.red('✗')} rewards · ${divergenceText(vault.divergence)}`);
  if (court?.divergence) lines.push(`${colors.red('✗')} court · ${divergenceText(court.divergence)}`);
  return lines;
}

/** The whole audit in one sentence. */
export function summary({ holds, rounds, vault }: AuditReport): string {
  const failed = rounds.filter((round) => !round.holds).map(({ round }) => round);
  const count = `${rounds.length} ${rounds.length === 1 ? 'round' : 'rounds'}`;
  if (holds) {
    const rewards = vault ? ', and the vault pays what they earned' : '';
    if (rounds.length === 0) return 'No round is anchored yet.';
    const gone = rounds.filter(({ rootsOnly }) => rootsOnly).length;
    if (gone === 0) return `All ${count} recompute from the chain${rewards}.`;
    const recomputed = `${rounds.length - gone} of ${count} recompute from the chain`;
    return `${recomputed}; of the other ${gone}, whose updates have gone, the roots are consistent${rewards}.`;
  }
  const which = failed.length > 0 ? ` in ${failed.length} of ${count} (${failed.join(', ')})` : '';
  return `The audit does NOT hold${which}.`;
}

function divergenceText({ what, expected, found, blob }: Divergence): string {
  return `${what}: expected ${expected}, found ${found}${blob === undefined ? '' : ` (blob ${blob})`}`;
}
