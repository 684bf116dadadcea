import { open, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { startEmbeddedChain } from '../../contracts/embedded-chain.ts';
import { connectLedger } from '../../contracts/ledger/ledger.ts';
import { int32Vector } from '../../shared/commitments/vector-trees.ts';
import { decodeDocument } from '../../shared/round/document.ts';
import type { JobTerms } from '../../shared/round/job-terms.ts';
import { usePlatformHashing } from '../../shared/runtime/platform-hashing.ts';
import { deployAndFund, settle } from './chain.ts';
import type { Chronicle } from './chronicle.ts';
import { DemoError } from './demo-error.ts';
import { demoDocument, honestMetrics } from './document.ts';
import { download, exportModel } from './export-model.ts';
import type { Federation } from './federation.ts';
import { followRounds } from './follow-rounds.ts';
import { checkCheat, demoRule, prepareDemoJob } from './job.ts';
import type { DemoOptions } from './options.ts';
import { type Cast, castParticipants, describeText } from './participants.ts';
import { startParties } from './parties.ts';
import { createProcessGroup } from './process-group.ts';
import { runAuditor } from './run-auditor.ts';
import { openRunFolder, type RunFolder } from './run-folder.ts';
import { createScreen, percent, type Screen, tokens } from './screen.ts';
import { awaitAttestations, showTrial } from './trial.ts';

/**
 * Runs a federation of processes on this machine: chain, coordinator, clients, attackers, then an independent auditor,
 * then the claims.
 *
 * @param options - what it is to be
 * @param entry - the command line's own module, which every process runs
 * @param signal - stops everything
 * @returns whether the auditor found every round to hold
 */
export async function runDemo(options: DemoOptions, entry: string, signal: AbortSignal): Promise<boolean> {
  const startedAt = performance.now();
  usePlatformHashing();
  const rule = demoRule(options);
  if (options.cheat !== undefined) checkCheat(options.cheat, rule);
  if (options.json !== undefined) await requireWritable(options.json);
  await using folder = await openRunFolder(options.keep);
  const cast = await castParticipants(folder.at('keys'), options);
  const screen = createScreen(cast.participants, options.rounds);
  const prepared = await prepareDemoJob(folder.path, options, cast, rule);
  const { terms } = prepared;

  screen.title('A federation on this machine');
  introduce(screen, options, cast, terms, folder);
  const chain = await startEmbeddedChain({
    stateFile: folder.at('chain', 'state.json'),
    logFile: folder.at('logs', 'chain.log'),
  });
  await using _chain = { [Symbol.asyncDispose]: () => chain.stop() };
  const { contracts, funded } = await deployAndFund(chain, terms, cast);
  await prepared.commit(contracts);
  await folder.describe({ chainId: 31337, contracts, job: terms.job });
  screen.say(`chain     anvil at ${chain.rpcUrl}; anchor ${contracts.anchor}, vault ${contracts.vault}`);
  screen.say(
    `pot       ${tokens(funded)} FED in escrow from the sponsor, ${tokens(funded / BigInt(options.rounds))} a round`,
  );

  await using processes = createProcessGroup(entry, (name, cause) => {
    screen.warn(`${name} died (${cause}): starting it again, it takes up where it was`);
  });
  const federation: Federation = { options, folder, cast, terms, contracts, processes, screen, rpcUrl: chain.rpcUrl };
  const url = await startParties(federation, signal);
  const trial = options.cheat === undefined ? undefined : await showTrial(federation, chain, url, signal);
  const chronicle = await followRounds(federation, url, signal);

  const audit = await runAuditor(federation, url);
  if (trial) await awaitAttestations(federation, signal);

  screen.title('Rewards');
  const ledger = await connectLedger({ rpcUrl: chain.rpcUrl, anchor: contracts.anchor });
  const last = (await ledger.records()).at(-1)?.record;
  const rewards = last ? decodeDocument(await download(url, terms.job, last.location)).rewards : [];
  const payments = await settle(
    chain,
    contracts,
    terms.manifest.chain.windowTicks,
    cast.participants.map(({ signer }) => signer),
    rewards,
    (seconds) =>
      screen.say(`the chain's clock is moved on by ${seconds} s, past the challenge window of the last round`),
  );
  for (const { name, role, signer } of cast.participants) {
    const payment = payments.find(({ account }) => account === signer.address);
    screen.say(
      `  ${name.padEnd(11)} ${tokens(payment?.claimed ?? 0n).padStart(12)} FED ${role === 'attacker' ? '(attacker)' : ''}`,
    );
  }

  const modelRoot = last?.modelRoot ?? terms.manifest.initialModelRoot;
  const modelFile = await exportModel(folder, terms, int32Vector(await download(url, terms.job, modelRoot)), modelRoot);
  conclude(screen, chronicle, cast, options, modelFile);
  if (options.json !== undefined) {
    const document = demoDocument({
      options,
      rule: [...rule.pre, rule.rule].join('+'),
      job: terms.job,
      chainId: 31337,
      contracts,
      cast,
      chronicle,
      audit,
      payments,
      funded,
      modelFile,
      ...(trial && { trial }),
      setupMs: Number(process.env['FEDANCHOR_SETUP_MS'] ?? 0),
      wallMs: performance.now() - startedAt,
    });
    await writeFile(options.json, `${JSON.stringify(document, null, 2)}\n`);
    screen.say(`the run as one document: ${resolve(options.json)}`);
  }
  if (folder.kept) screen.say(`the run is kept: fedanchor verify --run ${options.keep} audits it again`);
  return audit.holds;
}

function introduce(screen: Screen, options: DemoOptions, cast: Cast, terms: JobTerms, folder: RunFolder): void {
  const { rule, pre, f } = terms.manifest.aggregation.rule;
  for (const { name, role, text } of cast.participants) {
    const what = role === 'attacker' ? `attacks with ${options.attack}` : `trains on ${describeText(text)}`;
    screen.say(`${name.padEnd(11)} ${what}`);
  }
  screen.say(`model     next character of a text, ${terms.layout.parameters.toLocaleString('en')} parameters`);
  screen.say(`rule      ${[...pre, rule].join('+')}, f = ${f}; ${options.rounds} rounds; seed ${options.seed}`);
  if (folder.kept) screen.say(`folder    ${folder.path}`);
}

function conclude(screen: Screen, chronicle: Chronicle, cast: Cast, options: DemoOptions, modelFile: string): void {
  screen.title('Result');
  const untrained = honestMetrics(chronicle, cast, 0);
  const final = honestMetrics(chronicle, cast, options.rounds);
  if (untrained && final) {
    screen.say(
      `held-out accuracy ${percent(final.accuracy)} (untrained ${percent(untrained.accuracy)}, ` +
        `most frequent character ${percent(untrained.constant)})`,
    );
    if (final.accuracy <= untrained.constant) {
      screen.warn(
        'the model has learnt nothing: the attack destroyed it, as it can where the rule does not withstand it',
      );
    }
  }
  screen.say(`the model: ${modelFile}`);
}

/** Finds out before the run, not after it, that its document cannot be written. */
async function requireWritable(file: string): Promise<void> {
  try {
    await (await open(file, 'a')).close();
  } catch (cause) {
    throw new DemoError('demo/not-writable', `cannot write ${file}: name another file with --json`, { file }, cause);
  }
}
