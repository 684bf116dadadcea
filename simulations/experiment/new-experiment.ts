import { writeFile } from 'node:fs/promises';
import { ConfigError } from '../../shared/config-check.ts';

/**
 * Writes the file of a first experiment, with what each field means; it needs no data from elsewhere and takes seconds.
 *
 * @param name - of the experiment, and of the file without its `.toml`
 * @returns the file's path
 * @throws ConfigError `config/exists`
 */
export async function writeNewExperiment(name: string): Promise<string> {
  const file = `${name}.toml`;
  try {
    await writeFile(file, newExperiment(name.replace(/^.*[/\\]/, '')), { flag: 'wx' });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    throw new ConfigError('config/exists', `${file} is there already: edit it, or give another name`, { file }, cause);
  }
  return file;
}

function newExperiment(name: string): string {
  return `# An experiment for "fedanchor simulate". docs/experiments.md describes every field; what is commented out shows its default.
# Each value of [grid], and of seeds, may be a list: there is a run for every combination.
name = "${name}"
# title = "${name}"
seeds = [0, 1, 2]
# Whether every round is committed to by the record that a coordinator anchors on a chain.
# commit = false

# What is trained on. Made by formula: no files are needed. docs/learners.md has the others, such as
#   name = "fashion-mnist"
#   path = "data/fashion-mnist"   # fedanchor client data fetch fashion-mnist --out data/fashion-mnist
[data]
name = "synthetic"
devices = 30
most = 200

[model]
name = "softmax"

[federation]
# Clients that follow the protocol. In its place grid.n may say how many clients there are in all.
honest = 10
# Clients that attack: a number, or "f", as many as the rule is to withstand.
# byzantine = "f"
# Participants asked in a round; left out: all.
# sampled = 5
rounds = 30
# What attackers know: "omniscient", all honest updates; "own", what they would have sent themselves.
# knowledge = "omniscient"

[grid]
# fedanchor rules lists them; a rule of your own is the path of its file, such as "./my-rule.mjs".
rule = ["Average", "Median", "NNM+Krum"]
# Put in front of every rule: "none", "NNM", "Clipping+NNM:Clipping.c=2"
# pre = "none"
# fedanchor attacks lists them, and partitions; one of your own is the path of its file.
attack = ["none", "SignFlipping", "ALIE:tau=1.5"]
# Faulty participants that the rule is to withstand.
f = 2
partition = "dirichlet:alpha=1"

[training]
# "gradient": a batch's gradient is sent; "local": what local steps made of the model.
mode = "gradient"
batch = 20
# momentum = 0
# weightDecay = 0
# With mode = "local": learningRate = 0.1, and steps = 5 or epochs = 1.

[server]
# step = "FedAvg"
learningRate = 0.1

# Clients, links and rounds on a virtual clock; left out, everybody answers at once (docs/network-simulation.md).
# [network]
# secondsPerExample = { kind = "lognormal", median = 0.01, sigma = 0.5 }
# downBytesPerSecond = 5e6
# upBytesPerSecond = 1e6
# [network.synchronous]
# quorum = 6
# deadlineSeconds = 60

[evaluation]
# Every how many rounds the model is tested; the last is always.
every = 5

# Whole tokens: each round's pot, each client's stake; what a round of work costs a client.
# [economics]
# pot = 100
# stake = 100
# costPerClientRound = 0
`;
}
