/** The rule `troupe/imports` for oxlint: the direction of imports and the fences of scripts/architecture.mjs. */
import { relative, sep } from 'node:path';
import { importFault } from './architecture.mjs';

const imports = {
  meta: { type: 'problem', schema: [] },
  create(context) {
    const file = relative(`${context.cwd}/src`, context.filename).split(sep).join('/');
    const check = ({ source }) => {
      const fault = source && typeof source.value === 'string' && importFault(file, source.value);
      if (fault) context.report({ node: source, message: fault });
    };
    return {
      ImportDeclaration: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      ImportExpression: check,
      TSImportType: check,
    };
  },
};

export default { meta: { name: 'troupe' }, rules: { imports } };
