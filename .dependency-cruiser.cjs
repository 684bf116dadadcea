// The arrows between the folders (ARCHITECTURE.md says why). test/gates/arrows.test.ts sees each rule fire once.

/** What the product is made of, as opposed to what builds and tests it. */
const product = '^(fedanchor\\.ts|shared/|contracts/|coordinator/|client/|simulations/)';
/** Scripts in the product's folders that run before it is built, or only to test it. */
const buildScripts = '^contracts/([^/]+\\.mjs$|test/)';

/** The modules of coordinator/ and client/ through which simulations may reach them. */
const frontDoors = [
  '^client/(cli/run-command|run|runner/train-update)\\.ts$',
  '^client/(auditor|data|encoding|privacy|tasks|trainers|watcher)/',
  '^client/transports/(handshake|socket-control)\\.ts$',
  '^coordinator/(cli|coordinator|job-folder)\\.ts$',
  // Pure: a simulated network drives the round machine and its gate on a clock of its own.
  '^coordinator/(round/|gate/check-statement\\.ts$)',
];

/** Modules that choose the parts of a whole program. */
const compositionRoots = [
  '^fedanchor\\.ts$',
  '(^|/)cli\\.ts$',
  '^client/cli/',
  '^client/run\\.ts$',
  '^coordinator/coordinator\\.ts$',
  '^simulations/demo/demo\\.ts$',
  '^simulations/experiment/pool/run-thread\\.ts$',
];

/** Folders whose modules each stand for something outside the process. */
const adapters = '^(client|coordinator)/(blobs|data|http|journal|stores|trainers|transports)/';

module.exports = {
  forbidden: [
    {
      name: 'shared-stands-alone',
      comment: 'shared is what every party must agree on: it imports no other folder.',
      severity: 'error',
      from: { path: '^shared/' },
      to: { dependencyTypes: ['local'], pathNot: '^(shared|test)/' },
    },
    {
      name: 'shared-is-pure',
      comment: 'Only shared/runtime may touch the machine, so that a round is a function of its inputs.',
      severity: 'error',
      from: { path: '^shared/', pathNot: '^shared/runtime/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'shared-uses-pure-packages',
      comment: 'Hashing, validation and serialization are all that shared takes from elsewhere.',
      severity: 'error',
      from: { path: '^shared/', pathNot: '^shared/runtime/' },
      to: { path: '^node_modules/', pathNot: '^node_modules/(@noble/hashes|msgpackr|zod|smol-toml)/' },
    },
    {
      name: 'runtime-for-composition-roots',
      comment:
        'shared/runtime is impure: only the modules that put a program together may bring it in. Colors are for any text.',
      severity: 'error',
      from: { path: product, pathNot: ['^shared/runtime/', ...compositionRoots] },
      to: { path: '^shared/runtime/', pathNot: '^shared/runtime/colors\\.ts$' },
    },
    {
      name: 'contracts-only-on-shared',
      comment: 'contracts speaks for the chain alone.',
      severity: 'error',
      from: { path: '^contracts/' },
      to: { dependencyTypes: ['local'], pathNot: '^(contracts|shared|test)/' },
    },
    {
      name: 'coordinator-apart',
      comment: 'The coordinator shares with its clients what is in shared and contracts, and nothing else.',
      severity: 'error',
      from: { path: '^coordinator/' },
      to: { dependencyTypes: ['local'], pathNot: '^(coordinator|shared|contracts|test)/' },
    },
    {
      name: 'client-apart',
      comment: 'Whoever doubts the coordinator runs none of its code.',
      severity: 'error',
      from: { path: '^client/' },
      to: { dependencyTypes: ['local'], pathNot: '^(client|shared|contracts|test)/' },
    },
    {
      name: 'simulations-by-front-doors',
      comment: 'Simulations use coordinator and client as anyone would.',
      severity: 'error',
      from: { path: '^simulations/' },
      to: { path: '^(client|coordinator)/', pathNot: frontDoors },
    },
    {
      name: 'verbs-only-in-fedanchor',
      comment: 'The command line hands each verb to its folder and knows no more of it but its version.',
      severity: 'error',
      from: { path: '^fedanchor\\.ts$' },
      to: {
        dependencyTypes: ['local'],
        pathNot: ['(^|/)cli\\.ts$', '^shared/errors\\.ts$', '^contracts/package-root\\.ts$', '^test/'],
      },
    },
    {
      name: 'nobody-on-fedanchor',
      comment: 'fedanchor.ts is the top: it is run, never imported.',
      severity: 'error',
      from: {},
      to: { path: '^fedanchor\\.ts$' },
    },
    {
      name: 'nobody-on-test',
      comment: 'Tests import the product, never the other way round.',
      severity: 'error',
      from: { path: product },
      to: { path: '^test/' },
    },
    {
      name: 'ethers-in-contracts',
      comment: 'One folder knows how a chain is spoken to; the rest takes its types.',
      severity: 'error',
      from: { path: product, pathNot: '^contracts/' },
      to: { path: '^node_modules/ethers/' },
    },
    {
      name: 'round-machine-is-pure',
      comment: "The coordinator's state is a fold of its events: no I/O, clock or other part of the coordinator in it.",
      severity: 'error',
      from: { path: '^coordinator/round/' },
      to: { pathNot: '^(coordinator/round|shared)/' },
    },
    {
      name: 'session-machine-is-pure',
      comment: 'A session sees ports as types and reaches nothing through them.',
      severity: 'error',
      from: { path: '^client/session/' },
      to: { pathNot: '^(client/session|shared)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'adapters-apart',
      comment:
        'An adapter may know the type of another port, never its implementation: composition roots choose those.',
      severity: 'error',
      from: { path: adapters },
      to: { path: adapters, pathNot: '^$1/$2/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-cycles',
      comment: 'No cycles, through types either.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      comment: 'A module that imports nothing and is imported by nothing is forgotten.',
      severity: 'error',
      from: { orphan: true, path: product, pathNot: [buildScripts, '\\.d\\.ts$'] },
      to: {},
    },
    {
      name: 'no-unresolvable',
      comment: 'What is imported must be there.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-undeclared-packages',
      comment: 'A package comes by its own name in package.json, not by the luck of another one needing it.',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-dev-packages-in-product',
      comment: 'Who installs the product gets no development packages.',
      severity: 'error',
      from: { path: product, pathNot: buildScripts },
      to: { dependencyTypes: ['npm-dev'] },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['^contracts/(build|cache)/', '/kernels/assembly/'] },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
