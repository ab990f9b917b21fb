const shared = {
  testEnvironment: 'node',
  transform: { '\\.[jt]s$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' } }] },
  // These ship as ES modules only, and jest runs CommonJS.
  transformIgnorePatterns: ['/node_modules/(?!(@middy|ora|execa|get-port|content-disposition)/)'],
  moduleNameMapper: {
    '^@middy/core$': '<rootDir>/node_modules/@middy/core/index.js',
    '^@middy/util$': '<rootDir>/node_modules/@middy/util/index.js',
  },
};

/** @type {import('jest').Config} */
export default {
  randomize: true,
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/(apps|e2e|userdata|node)/'],
    },
    { ...shared, displayName: 'nodes', testMatch: ['<rootDir>/test/{userdata,node}/**/*.test.ts'] },
    {
      ...shared,
      displayName: 'apps',
      testMatch: ['<rootDir>/test/apps/**/*.test.ts'],
      globalSetup: '<rootDir>/test/apps/setup.ts',
    },
    { ...shared, displayName: 'e2e', testMatch: ['<rootDir>/test/e2e/**/*.test.ts'] },
  ],
};
