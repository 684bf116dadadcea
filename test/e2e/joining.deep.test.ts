import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePort, openPageRun, type PageRun } from './page-run.ts';
import { blocksOf, scriptOf } from './page-script.ts';

const PAGE = fileURLToPath(new URL('../../docs/joining.md', import.meta.url));

const ARCHITECTURE = {
  class_name: 'Sequential',
  config: {
    name: 'next-character',
    layers: [
      { class_name: 'Flatten', config: { name: 'context', batch_input_shape: [null, 8, 97], dtype: 'float32' } },
      { class_name: 'Dense', config: { name: 'logits', units: 97, activation: 'linear' } },
    ],
  },
};

/** What the operator of the job does before anybody joins: a chain, a job that is open to all, a partner who waits. */
const OPERATOR = `
anvil --port CHAINPORT --block-time 1 > anvil.log 2>&1 &
until grep -q 'Listening on' anvil.log; do sleep 0.1; done
RPC=http://127.0.0.1:CHAINPORT
mkdir others; cd others
OPERATOR=$(fedanchor key create operator.key)
PARTNER=$(fedanchor key create partner.key)
for account in $OPERATOR $PARTNER; do
  curl -s -H 'content-type: application/json' "$RPC" -o answer.json \\
    -d '{"jsonrpc":"2.0","id":1,"method":"anvil_setBalance","params":["'$account'","0x56bc75e2d63100000"]}'
done
fedanchor coordinator init --dir operator --rpc $RPC --key-file operator.key
fedanchor client init-model --architecture ../architecture.json --seed 1 --out start.safetensors
cat > job.toml <<END
name = "a job that is open to all"
model = "start.safetensors"
rounds = 2
disclosure = "participants"
[task]
kind = "next-character"
architectureFile = "../architecture.json"
training = { optimizer = "momentum", learningRate = 0.3, momentum = 0.9, batchSize = 64, steps = 20, clipNorm = 1 }
data = { contextLength = 8, heldOutSamples = 64 }
[aggregation.rule]
rule = "Average"
f = 0
[participation]
admission = "open"
expected = 2
quorum = 2
deadlineMs = 120000
retries = 4
[rewards]
pricePerRound = "1000000000000000000"
score = "alignment"
[chain]
windowTicks = 1
[contracts]
treasury = "$OPERATOR"
END
fedanchor job create job.toml --dir operator --json > created.json
ANCHOR=$(node -p 'JSON.parse(fs.readFileSync("created.json")).contracts.anchor')
VAULT=$(node -p 'JSON.parse(fs.readFileSync("created.json")).contracts.vault')
fedanchor vault fund --rpc $RPC --job $ANCHOR --vault $VAULT --amount 2000000000000000000 --key-file operator.key
fedanchor coordinator run --dir operator --port HTTPPORT > coordinator.log 2>&1 &
until grep -q listening coordinator.log; do sleep 0.1; done
COORDINATOR=http://127.0.0.1:HTTPPORT
fedanchor job start "a job that is open to all" --dir operator
fedanchor client run --coordinator $COORDINATOR --rpc $RPC --job $ANCHOR --key-file partner.key --data ../my-texts --state partner-state > partner.log 2>&1 &
cd ..
`;

let page: PageRun;

beforeAll(async () => {
  page = await openPageRun();
  const { folder } = page;
  await mkdir(join(folder, 'my-texts'));
  const lines = Array.from({ length: 400 }, (_, line) => `what the harbour writes down of every ship, ${line}.\n`);
  await writeFile(join(folder, 'my-texts', 'text.txt'), lines.join(''));
  await writeFile(join(folder, 'architecture.json'), JSON.stringify(ARCHITECTURE));
});

afterAll(() => page.close());

it('the page "join with your GPU", followed literally in an empty folder, ends with a claim that is paid', async () => {
  const [chain, http] = [await freePort(), await freePort()];
  const before = OPERATOR.replaceAll('CHAINPORT', String(chain)).replaceAll('HTTPPORT', String(http));
  const output = await page.follow(scriptOf(blocksOf(await readFile(PAGE, 'utf8')), before));
  // The doctor had nothing to say against it.
  expect(output).toMatch(/✓ speed: a round takes about/);
  expect(output).not.toMatch(/^✗/m);
  const { address } = JSON.parse(await readFile(join(page.folder, 'gpu', 'key.json'), 'utf8')) as { address: string };
  const [, earned] = /rewards {2}(\d+) earned, \1 of it final, 0 paid: \1 to claim/.exec(output) ?? [];
  expect(BigInt(earned ?? 0)).toBeGreaterThan(0n);
  expect(output).toContain(`0x${address.replace(/^0x/, '').toLowerCase()}: ${earned} of token`);
  expect(output).toContain('receipts 2 accepted, 0 late, 0 rejected');
});
