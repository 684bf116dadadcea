import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { estimateByCpuTime } from '../../../client/energy/cpu-time.ts';
import { openEnergyMeter } from '../../../client/energy/energy-meter.ts';
import { openNvidia } from '../../../client/energy/nvidia.ts';
import { openRapl } from '../../../client/energy/rapl.ts';
import { makeFolder } from '../data/temporary-folder.ts';

const RANGE = 262_143_328_850n;

/** A folder as Linux shows it: two packages, of which the first has sub-zones, and the whole platform. */
async function powercap(first: bigint, second: bigint): Promise<string> {
  const zone = (name: string, uj: bigint) => ({ name, energy_uj: `${uj}\n`, max_energy_range_uj: `${RANGE}\n` });
  const zones = {
    'intel-rapl:0': zone('package-0\n', first),
    'intel-rapl:0:0': zone('core\n', 999_999_999n),
    'intel-rapl:1': zone('package-1\n', second),
    'intel-rapl:2': zone('psys\n', 999_999_999n),
    'intel-rapl-mmio:0': zone('package-0\n', first),
  };
  const files = Object.entries(zones).flatMap(([folder, content]) =>
    Object.entries(content).map(([name, text]) => [`${folder}/${name}`, text]),
  );
  return makeFolder(Object.fromEntries(files));
}

/** Moves a package's counter on; the first one shows by another way, too. */
async function set(root: string, zone: number, uj: bigint): Promise<void> {
  await writeFile(join(root, `intel-rapl:${zone}`, 'energy_uj'), `${uj}\n`);
  if (zone === 0) await writeFile(join(root, 'intel-rapl-mmio:0', 'energy_uj'), `${uj}\n`);
}

describe('RAPL', () => {
  it('counts the packages, each once, since the last call', async () => {
    const root = await powercap(1_000_000n, 5_000_000n);
    const rapl = await openRapl(root);
    expect(rapl).toMatchObject({ name: 'rapl', isMeasured: true });
    expect(await rapl?.take()).toBe(0);
    await set(root, 0, 3_500_000n);
    await set(root, 1, 5_250_000n);
    expect(await rapl?.take()).toBe(2.75);
    expect(await rapl?.take()).toBe(0);
  });

  it('goes on where a counter begins again', async () => {
    const root = await powercap(RANGE - 1_000_000n, 0n);
    const rapl = await openRapl(root);
    await set(root, 0, 500_000n);
    expect(await rapl?.take()).toBe(1.5);
    const amount = fc.bigInt({ min: 0n, max: RANGE - 1n });
    await fc.assert(
      fc.asyncProperty(fc.array(amount, { minLength: 1, maxLength: 5 }), async (steps) => {
        const start = 123_456n;
        await set(root, 0, start);
        await rapl?.take();
        let [at, sum] = [start, 0];
        for (const step of steps) {
          at = (at + step) % RANGE;
          await set(root, 0, at);
          sum += (await rapl?.take()) ?? 0;
        }
        expect(sum).toBeCloseTo(Number(steps.reduce((whole, step) => whole + step, 0n)) / 1e6, 3);
      }),
      { numRuns: 20 },
    );
  });

  it('is not there where nothing is, or it makes no sense', async () => {
    expect(await openRapl(join(await makeFolder({}), 'nothing'))).toBeUndefined();
    expect(await openRapl(await makeFolder({ 'intel-rapl:0/name': 'psys' }))).toBeUndefined();
    const broken = await powercap(0n, 0n);
    await writeFile(join(broken, 'intel-rapl:1', 'energy_uj'), 'none');
    expect(await openRapl(broken)).toBeUndefined();
  });
});

/** A program that answers as NVIDIA's does. */
async function program(lines: readonly string[], end: string): Promise<string> {
  const folder = await makeFolder({});
  const file = join(folder, 'nvidia-smi');
  await writeFile(file, `#!/bin/sh\n${lines.map((line) => `echo '${line}'`).join('\n')}\n${end}\n`);
  await chmod(file, 0o755);
  return file;
}

describe('NVIDIA', () => {
  it('adds up what the cards draw over time, and leaves out those that cannot tell', async () => {
    let now = 0;
    const command = await program(['0, 100.00', '1, [N/A]', '2, 50.5'], 'exec sleep 60');
    const cards = await openNvidia({ command, nowMs: () => now });
    onTestFinished(() => cards?.close());
    expect(cards).toMatchObject({ name: 'nvidia-smi', part: 'gpu', isMeasured: true });
    // The second card's sample may be under way.
    for (let asked = 0; asked < 100; asked++) await new Promise((resolve) => setTimeout(resolve, 1));
    await cards?.take();
    now = 2000;
    expect(await cards?.take()).toBeCloseTo(301, 6);
    expect(await cards?.take()).toBe(0);
  });

  it('is not there without the program, without a card, or with one that says nothing', async () => {
    expect(await openNvidia({ command: join(await makeFolder({}), 'nvidia-smi') })).toBeUndefined();
    expect(await openNvidia({ command: await program(['0, [N/A]'], 'exit 0') })).toBeUndefined();
    expect(await openNvidia({ command: await program([], 'exec sleep 60'), firstMs: 20 })).toBeUndefined();
  });

  it('says that it can tell no more', async () => {
    const cards = await openNvidia({ command: await program(['0, 100'], 'exit 0') });
    for (;;) {
      const isOver = await cards?.take().then(
        () => false,
        () => true,
      );
      if (isOver !== false) break;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  });
});

describe('a meter', () => {
  it('counts what is used while work is done, and not in between', async () => {
    const root = await powercap(0n, 0n);
    let now = 0;
    const meter = await openEnergyMeter({ powercap: root, nvidia: false, nowMs: () => now });
    onTestFinished(() => meter.close());
    expect(meter.sources).toEqual(['rapl']);
    expect(meter.take()).toBeUndefined();
    await set(root, 0, 7_000_000n);
    const work = async (uj: bigint, ms: number) => {
      await set(root, 1, uj);
      now += ms;
      return 'done';
    };
    expect(await meter.during(() => work(1_500_000n, 250))).toBe('done');
    await set(root, 0, 9_000_000n);
    await meter.during(() => work(2_000_000n, 100));
    expect(meter.take()).toEqual({ millijoules: 2000, durationMs: 350, estimated: false });
    expect(meter.take()).toBeUndefined();
    await expect(meter.during(() => work(2_500_000n, 1).then(() => Promise.reject(new Error('no'))))).rejects.toThrow(
      'no',
    );
    expect(meter.take()).toMatchObject({ millijoules: 500 });
  });

  it('counts works that overlap once', async () => {
    const root = await powercap(0n, 0n);
    const meter = await openEnergyMeter({ powercap: root, nvidia: false });
    onTestFinished(() => meter.close());
    await meter.during(async () => {
      await meter.during(() => set(root, 0, 1_000_000n));
      await set(root, 0, 3_000_000n);
    });
    expect(meter.take()).toMatchObject({ millijoules: 3000 });
  });

  it('estimates where the machine tells nothing, and says so; also from where it stops telling', async () => {
    const bare = await openEnergyMeter({ powercap: await makeFolder({}), nvidia: false, wattsPerCore: 1000 });
    expect(bare.sources).toEqual(['cpu-time (estimated)']);
    await bare.during(async () => {
      for (let busy = 0; busy < 3e6; busy++) Math.sqrt(busy);
    });
    const used = bare.take();
    expect(used?.estimated).toBe(true);
    expect(used?.millijoules).toBeGreaterThan(0);
    bare.close();

    const root = await powercap(0n, 0n);
    const meter = await openEnergyMeter({ powercap: root, nvidia: false });
    await meter.during(() => writeFile(join(root, 'intel-rapl:0', 'energy_uj'), 'gone'));
    expect(meter.take()?.estimated).toBe(true);
    expect(meter.sources).toEqual(['cpu-time (estimated)']);
    meter.close();
  });

  it('estimates by core time and watts', async () => {
    let us = 5_000_000;
    const estimate = estimateByCpuTime(12, () => us);
    us += 2_500_000;
    expect(await estimate.take()).toBe(30);
    expect(await estimate.take()).toBe(0);
  });
});
