import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { GitRepository } from '../support/git-repository.ts';

/** Secrets that are planted; put together here, so that no scanner takes this file for a leak. */
export const planted = {
  aws: ['AKIA', 'J7Q2ZL9XW4TK8MVB'].join(''),
  github: ['ghp_', 'x7Kq29LmPz4RtVb8WcYd3FgHj5NsQa6Ue1Xo'].join(''),
  password: ['hV9', '!kq2', 'Zr7mW'].join(''),
  database: ['pg9s', 'Tq4', 'wLx'].join(''),
  key: ['MIIEpAIBAAKCAQEA7bq', 'xW2Lk9Pz4RtVb8WcYd3FgHj5NsQa6Ue1Xo0'].join(''),
};

const server = `import { exec } from 'node:child_process';
import { route } from './route.js';

// TODO: read the port from the environment
export function serve(request, response) {
  // eval(request) is what this must never do
  exec(\`ls \${request.path}\`);
  const options = { rejectUnauthorized: false };
  return route(request, response, options);
}
`;

const route = `import { serve } from './server.js';
import { gone } from './gone.js';

const password = '${planted.password}';
const url = 'postgres://app:${planted.database}@db.internal/main';

/** Chooses what answers a request. */
export function route(request, response, options) {
  if (request.path === '/' && options) {
    for (const part of request.parts) {
      if (part === 'a' || part === 'b') return gone(part, password, url);
    }
  }
  return request.again ? serve(request, response) : null;
}
`;

const readme = `# Project

Serves requests. See [the guide](docs/guide.md) and [the plan](docs/plan.md), or
the [site](https://example.org/missing.md).

## Install

    npm install
`;

/** A repository with one of each fault: three commits by two authors. */
export function plantedRepository(): GitRepository {
  const repository = GitRepository.create();
  repository.git('init', '-q');
  repository
    .write({
      'README.md': readme,
      'docs/guide.md':
        '# Guide\n\nSee [home](../README.md).\n\n```\n[not a link](nowhere.md)\n```\n',
      'package.json': JSON.stringify(
        { name: 'project', private: true, dependencies: { left: '*', right: '^1.2.0' } },
        null,
        2,
      ),
      'src/server.js': server,
      'src/route.js': route.replace('request.again', 'request.once'),
      'src/lonely.py':
        'import yaml\n\ndef load(text):\n    if text:\n        return yaml.load(text)\n',
      'test/server.test.js':
        "import { serve } from '../src/server.js';\n\ntest.only('serves', () => serve({}, {}));\n",
      'test/fixtures/sample.txt': `token = "${planted.github}"\n`,
    })
    .commit('Ada');
  repository
    .write({
      'src/route.js': route,
      'src/broken.js': Buffer.concat([
        Buffer.from('// caf'),
        Buffer.from([0xe9]),
        Buffer.from('\nexport const cup = 1;\n'),
      ]),
      'assets/logo': Buffer.from([0x89, 0x50, 0x00, 0x01, 0x02]),
      'node_modules/left/index.js': 'eval("1");\n',
    })
    .commit('Grace');
  symlinkSync('/etc/passwd', join(repository.root, 'outside'));
  repository
    .write({
      'deploy.sh': `export AWS_ACCESS_KEY_ID=${planted.aws}\n`,
      'keys/server.pem': `-----BEGIN RSA PRIVATE KEY-----\n${planted.key}\n-----END RSA PRIVATE KEY-----\n`,
    })
    .commit('Ada');
  return repository;
}
