import { defineConfig } from 'vitest/config';

const deep = 'test/**/*.deep.test.ts';
const slow = 'test/**/*.slow.test.ts';
const endToEnd = 'test/e2e/**/*.test.ts';

export default defineConfig({
  test: {
    // Trainers and chains are processes of their own weight, and tensor back ends keep global state.
    pool: 'forks',
    // Threads that tests start run the sources too; a Node that cannot by itself is helped.
    execArgv: Reflect.get(process.features, 'typescript') ? [] : ['--import', './test/typescript-loader.mjs'],
    maxWorkers: 2,
    restoreMocks: true,
    setupFiles: ['./test/fuzz-seed.ts'],
    // Tests start real processes, sockets and chains; a machine that stands still for seconds is not a fault of theirs. The
    // end of a gate's log names each test that passed only the second time.
    retry: 1,
    unstubEnvs: true,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [deep, slow, endToEnd],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: [endToEnd],
          exclude: [deep, slow],
          // Each of these starts a whole federation, which wants both cores to itself.
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        extends: true,
        test: { name: 'slow', include: [slow], testTimeout: 60_000, hookTimeout: 120_000 },
      },
      {
        extends: true,
        test: { name: 'deep', include: [deep], fileParallelism: false, testTimeout: 1_800_000, hookTimeout: 300_000 },
      },
    ],
  },
});
