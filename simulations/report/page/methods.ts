import type { Experiment, ResultLine } from '../../experiment/experiment.ts';
import type { NetworkSpec, RunSpec } from '../../experiment/run-spec.ts';
import { distinct } from '../cells.ts';
import { brief, counted, listing } from '../format.ts';
import { html, type Markup } from './markup.ts';

/** The paragraphs that say what was done, made of the specifications of the runs: nothing in them is written by hand. */
export function methods(experiment: Pick<Experiment, 'runs' | 'seeds'>, lines: readonly ResultLine[]): Markup {
  const specs = experiment.runs.map(({ spec }) => spec);
  const cells = experiment.runs.map(({ cell }) => cell);
  const one = specs[0] as RunSpec;
  const each = (of: (spec: RunSpec) => string): string => listing(distinct(specs.map(of)));
  const clients =
    `${each(({ honest }) => counted(honest, 'honest client'))}, ${each(({ byzantine }) => String(byzantine))} Byzantine; ` +
    `rules withstand f = ${listing(distinct(cells.map(({ f }) => f)))}. ` +
    (one.sampled === null
      ? 'All take part in every round.'
      : `${one.sampled} are asked in a round, drawn from the seed.`);
  const hashes = distinct(lines.map(({ result }) => result.dataHash));
  return html`<dl class="methods">
<dt>Data</dt><dd>${settingText(one.data)}, cut among the honest clients by ${listing(distinct(cells.map(({ partition }) => partition)))}.
SHA-256 of the data: ${hashes.map((hash) => html`<code>${hash}</code> `)}</dd>
<dt>Model</dt><dd>${settingText(one.model)}</dd>
<dt>Clients</dt><dd>${clients}</dd>
<dt>Attacks</dt><dd>${listing(distinct(cells.map(({ attack }) => attack)))}; attackers see
${one.knowledge === 'omniscient' ? 'every honest update' : 'no updates but those that they would send themselves'}.
Where the attack is <em>none</em>, the Byzantine clients follow the protocol.</dd>
<dt>Training</dt><dd>${each(trainingText)}</dd>
<dt>Server</dt><dd>${each(serverText)}</dd>
<dt>Network</dt><dd>${one.network === null ? 'none: everybody answers at once.' : networkText(one.network)}</dd>
<dt>Money</dt><dd>a pot of ${one.economics.pot} tokens a round, a stake of ${one.economics.stake} tokens for each client,
${one.economics.costPerClientRound} tokens for the work behind an update.</dd>
<dt>Runs</dt><dd>${counted(experiment.seeds.length, 'seed')} (${listing(experiment.seeds)}) for each of
${counted(new Set(cells.map(({ seed: _, ...names }) => JSON.stringify(names))).size, 'cell')}; accuracy is on test examples that
no client holds, every ${counted(one.evaluateEvery, 'round')} and after the last. Updates are integers, aggregated by the round function
of production${one.commit ? ', every round committed to by the record that production anchors' : ''}.</dd>
</dl>`;
}

/** A name with its settings, such as `fashion-mnist (folder data/fashion)`. */
function settingText({ name, ...rest }: RunSpec['data'] | RunSpec['model']): string {
  const settings = Object.entries(rest).map(
    ([key, value]) => `${key} ${Array.isArray(value) ? value.join('-') : value}`,
  );
  return settings.length === 0 ? name : `${name} (${settings.join(', ')})`;
}

function trainingText({ rounds, training }: RunSpec): string {
  const { mode, batch, steps, epochs, learningRate, momentum, momentumWeight, weightDecay, proximal } = training;
  const work =
    mode === 'gradient'
      ? `each client sends the gradient of one batch of ${batch}`
      : `each client takes ${steps === null ? `${epochs} local epochs` : counted(steps, 'local step')} in batches of ${batch} at learning rate ${learningRate}`;
  const told = [
    `${counted(rounds, 'round')}`,
    work,
    momentum > 0 ? `worker momentum m = ${momentum} m + ${tidy(momentumWeight)} u` : 'no worker momentum',
    weightDecay > 0 ? `weight decay ${weightDecay}` : 'no weight decay',
    proximal > 0 ? `proximal term mu = ${proximal}` : '',
  ];
  return `${told.filter((part) => part !== '').join('; ')}.`;
}

function serverText({ server }: RunSpec): string {
  const { name, learningRate, ...rest } = server;
  const further = Object.entries(rest).map(
    ([key, value]) => `${key} ${tidy(Number(value) / (key === 'tau' ? 2 ** 30 : 65_536))}`,
  );
  return `${[`${name}, learning rate ${tidy(learningRate / 65_536)}`, ...further].join(', ')}.`;
}

/** A number that went through binary places, as it was probably written. */
function tidy(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function networkText(network: NetworkSpec): string {
  const { mode, dropout, straggler } = network;
  const closes =
    mode.kind === 'synchronous'
      ? `rounds close when all have answered, or after ${mode.deadlineSeconds} s with a quorum of ${mode.quorum}`
      : `rounds close with ${mode.size} updates (FedBuff), of models at most ${mode.maxStaleness} rounds old, ${mode.concurrency} clients at work`;
  const named = (distribution: NetworkSpec['latencySeconds']): string => {
    const { kind, ...values } = distribution;
    return `${kind}(${Object.values(values).map(brief).join(', ')})`;
  };
  return (
    `on a virtual clock: ${closes}. Seconds an example ${named(network.secondsPerExample)}, bytes a second down ` +
    `${named(network.downBytesPerSecond)} and up ${named(network.upBytesPerSecond)}, latency ${named(network.latencySeconds)} s; ` +
    `a client drops out of a round with chance ${dropout} and is slowed down ${straggler.factor} times with chance ${straggler.chance}.`
  );
}
