const shared = {
  testEnvironment: 'node',
  // A module's look-up of a global leaves jest's sandbox and takes a microsecond; these are handed to each module instead.
  sandboxInjectedGlobals: [
    ...['Array', 'Boolean', 'Error', 'JSON', 'Map', 'Math', 'Number', 'Object'],
    ...['Promise', 'RegExp', 'Set', 'String', 'Symbol'],
  ],
  transform: { '\\.[jt]s$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' } }] },
  // These ship as ES modules only, and jest runs CommonJS.
  transformIgnorePatterns: [
    `/node_modules/(?!(${[
      ...['@middy', 'commander', 'content-disposition', 'get-port'],
      // execa, and all that it stands on.
      ...['execa', 'get-stream', 'human-signals', 'is-stream', 'mimic-fn', 'npm-run-path', 'path-key'],
      'strip-final-newline',
      // ora, and all that it stands on.
      ...['ora', 'ansi-regex', 'chalk', 'cli-cursor', 'cli-spinners', 'get-east-asian-width', 'is-interactive'],
      ...['is-unicode-supported', 'log-symbols', 'mimic-function', 'onetime', 'restore-cursor', 'stdin-discarder'],
      ...['string-width', 'strip-ansi', 'yoctocolors'],
    ].join('|')})/)`,
  ],
  moduleNameMapper: {
    '^@middy/core$': '<rootDir>/node_modules/@middy/core/index.js',
    '^@middy/util$': '<rootDir>/node_modules/@middy/util/index.js',
  },
};

/** @type {import('jest').Config} */
export default {
  randomize: true,
  // A bound for what hangs, not a measure of speed: a machine ten times as busy must pass as well.
  testTimeout: 600_000,
  projects: [
    {
      ...shared,
      displayName: 'unit',
      globalSetup: '<rootDir>/test/support/templates-folder.ts',
      globalTeardown: '<rootDir>/test/support/templates-folder-teardown.ts',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/(apps|e2e|userdata|node|platform|server)/'],
    },
    { ...shared, displayName: 'nodes', testMatch: ['<rootDir>/test/{userdata,node}/**/*.test.ts'] },
    {
      ...shared,
      displayName: 'platform',
      testMatch: ['<rootDir>/test/platform/**/*.test.ts'],
      transformIgnorePatterns: ['/node_modules/(?!(@?kubernetes-models|is-cidr|cidr-regex|ip-regex)/)'],
      // Their exports name ES modules only; jest resolves what CommonJS would.
      moduleNameMapper: {
        '^(@kubernetes-models/(?:base|validate))$': '<rootDir>/node_modules/$1/dist/index.js',
        '^@kubernetes-models/validate/runtime/(.+)$':
          '<rootDir>/node_modules/@kubernetes-models/validate/dist/runtime/$1.js',
        '^(kubernetes-models/_schemas/.+)$': '<rootDir>/node_modules/$1.js',
        '^(@kubernetes-models/[^/]+/.+)$': '<rootDir>/node_modules/$1.js',
      },
    },
    {
      ...shared,
      displayName: 'apps',
      testMatch: ['<rootDir>/test/apps/**/*.test.ts'],
      globalSetup: '<rootDir>/test/apps/setup.ts',
    },
    { ...shared, displayName: 'server', testMatch: ['<rootDir>/test/server/**/*.test.ts'] },
    { ...shared, displayName: 'e2e', testMatch: ['<rootDir>/test/e2e/**/*.test.ts'] },
  ],
};
