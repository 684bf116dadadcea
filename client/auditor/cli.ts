import { type Command, InvalidArgumentError } from 'commander';
import type { Hex } from '../../shared/bytes.ts';
import { FedanchorError } from '../../shared/errors.ts';
import { createEngine } from '../../shared/runtime/engine/create-engine.ts';
import { usePlatformHashing } from '../../shared/runtime/platform-hashing.ts';
import { otherLines, roundLine, summary } from './report-text.ts';
import { type VerifyOptions, type VerifyReport, verify } from './verify.ts';

/** Exit codes of `fedanchor verify`. */
const EXIT = { holds: 0, doesNotHold: 1, cannotTell: 2 } as const;

/**
 * Adds `fedanchor verify` to the command line. It exits with 0 only if everything holds, with 1 if something does not,
 * and with 2 if the audit cannot be done.
 */
export function registerVerifyCommand(program: Command): void {
  program
    .command('verify')
    .description('recompute every round of a job from the chain and the blobs, trusting nobody else')
    .option('--run <folder>', 'audit a run kept by "fedanchor demo --keep <folder>", on a copy of its chain')
    .option('--rpc <url>', 'node of the chain')
    .option('--job <address>', "address of the job's RoundAnchor contract", parseAddress)
    .option('--blobs <place>', "the coordinator's address, or a folder with its blobs")
    .option(
      '--vault <address>',
      "address of the job's RewardVault contract, to audit what it pays out too",
      parseAddress,
    )
    .option('--token-file <file>', 'file with the token of a session that may read the blobs')
    .option('--json', 'print one JSON document to standard output, the rest to standard error', false)
    .exitOverride((error) => process.exit(error.exitCode === 0 ? EXIT.holds : EXIT.cannotTell))
    .action(async ({ json, ...options }: VerifyOptions & { json: boolean }) => {
      process.exitCode = await run(options, json);
    });
}

async function run(options: VerifyOptions, json: boolean): Promise<number> {
  const say = (line: string): boolean => (json ? process.stderr : process.stdout).write(`${line}\n`);
  const print = (document: object): boolean => process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
  usePlatformHashing();
  const engine = createEngine();
  let report: VerifyReport;
  try {
    report = await verify(options, (verdict) => say(roundLine(verdict)), engine);
  } catch (error) {
    if (!(error instanceof FedanchorError)) throw error;
    process.stderr.write(`fedanchor verify: ${error.message} [${error.code}]\n`);
    if (json) print({ holds: false, error: { code: error.code, message: error.message } });
    return EXIT.cannotTell;
  } finally {
    await engine.close();
  }
  for (const line of otherLines(report)) say(line);
  say(summary(report));
  if (json) print(report);
  return report.holds ? EXIT.holds : EXIT.doesNotHold;
}

function parseAddress(text: string): Hex {
  if (/^0x[0-9a-fA-F]{40}$/.test(text)) return text.toLowerCase() as Hex;
  throw new InvalidArgumentError('expected an address: 0x and 40 hexadecimal digits');
}
