import { registerHooks } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const PACKAGES = path.join(import.meta.dirname, '..', 'node_modules');

// Middy's packages are ES modules only, and name no way in for `require`, by which tsx loads the steps here. Bundles and Jest have
// their own ways.
registerHooks({
  resolve: (specifier, context, next) =>
    specifier.startsWith('@middy/')
      ? next(pathToFileURL(path.join(PACKAGES, specifier, 'index.js')).href, context)
      : next(specifier, context),
});
