/**
 * Risky patterns by family of languages. `code` rules look at lines without comments and strings, so
 * that a text about `eval` is not taken for a call; `raw` rules need the strings.
 *
 * @typedef {object} RiskRule
 * @property {string} id
 * @property {string} title
 * @property {RegExp} pattern
 * @property {'code' | 'raw'} on
 * @property {RegExp} languages Which languages it is for, by name.
 * @property {'high' | 'medium' | 'low'} severity
 * @property {'high' | 'medium' | 'low'} confidence
 * @property {string} fix
 */

const script = /^(JavaScript|TypeScript|Vue|Svelte)$/;
const python = /^Python$/;
const any = /./;

/** @type {readonly RiskRule[]} */
export const riskRules = [
  {
    id: 'eval',
    title: 'Code is made from text and run (eval)',
    pattern: /(?<![\w$.])eval\s*\((?!\s*\))|\bnew\s+Function\s*\(/,
    on: 'code',
    languages: /^(JavaScript|TypeScript|Vue|Svelte|Python|Ruby|PHP)$/,
    severity: 'high',
    confidence: 'medium',
    fix: 'Parse the data, or dispatch over a table of functions.',
  },
  {
    id: 'shell-template',
    title: 'A shell command is put together from variables',
    pattern: /\b(?:exec|execSync)\s*\(\s*(?:`[^`]*\$\{|["'][^"']*["']\s*\+)/,
    on: 'raw',
    languages: script,
    severity: 'high',
    confidence: 'medium',
    fix: 'Use execFile or spawn with a list of arguments.',
  },
  {
    id: 'shell-true',
    title: 'A program is started through a shell',
    pattern: /\bshell\s*(?::\s*true|=\s*True)\b/,
    on: 'code',
    languages: /^(JavaScript|TypeScript|Python)$/,
    severity: 'medium',
    confidence: 'medium',
    fix: 'Pass the program and its arguments as a list, without a shell.',
  },
  {
    id: 'os-system',
    title: 'A command line is handed to the shell',
    pattern: /\bos\.(?:system|popen)\s*\(/,
    on: 'code',
    languages: python,
    severity: 'medium',
    confidence: 'medium',
    fix: 'Use subprocess.run with a list.',
  },
  {
    id: 'tls-off',
    title: 'TLS certificates are not checked',
    pattern:
      /rejectUnauthorized\s*:\s*false|NODE_TLS_REJECT_UNAUTHORIZED\s*["'\]]*\s*[=:]\s*["']?0|InsecureSkipVerify\s*:\s*true|verify\s*=\s*False|(?<!def )\b_create_unverified_context\s*\(|CURLOPT_SSL_VERIFYPEER\s*,\s*(?:0|false)/,
    on: 'raw',
    languages: any,
    severity: 'high',
    confidence: 'high',
    fix: 'Check certificates; add a private authority to the trusted ones instead.',
  },
  {
    id: 'pickle',
    title: 'Pickled data is loaded: whoever wrote it runs code here',
    pattern: /\b(?:c?pickle|dill|shelve)\.(?:loads?|open)\s*\(/i,
    on: 'code',
    languages: python,
    severity: 'high',
    confidence: 'medium',
    fix: 'Use JSON, or sign the data.',
  },
  {
    id: 'yaml-load',
    title: 'yaml.load without a safe loader',
    pattern: /\byaml\.load\s*\((?!.*(?:SafeLoader|CSafeLoader|safe))/,
    on: 'code',
    languages: python,
    severity: 'high',
    confidence: 'medium',
    fix: 'Use yaml.safe_load.',
  },
  {
    id: 'sql-concat',
    title: 'SQL is put together from variables',
    pattern:
      /["'`]\s*(?:SELECT\s.{1,80}\sFROM|INSERT\s+INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM)\b[^"'`]*(?:\$\{|["']\s*\+\s*[\w$]|["']\s*%\s*[\w(]|\{[\w.]+\}["'].*\.format|["']\s*\.\s*\$)/i,
    on: 'raw',
    languages: any,
    severity: 'high',
    confidence: 'medium',
    fix: 'Bind the values as parameters of the query.',
  },
  {
    id: 'sql-f-string',
    title: 'SQL is put together in an f-string',
    pattern:
      /\bf["'](?:"")?\s*(?:SELECT\s.{1,80}\sFROM|INSERT\s+INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM)\b[^"']*\{/i,
    on: 'raw',
    languages: python,
    severity: 'high',
    confidence: 'medium',
    fix: 'Bind the values as parameters of the query.',
  },
  {
    id: 'raw-html',
    title: 'HTML is set from a value',
    pattern:
      /\.(?:innerHTML|outerHTML)\s*\+?=(?!=)\s*(?!["'`]\s*["'`]\s*;)|\bdangerouslySetInnerHTML\b|\bdocument\.write\s*\(/,
    on: 'code',
    languages: script,
    severity: 'medium',
    confidence: 'low',
    fix: 'Set textContent, or clean the value with a sanitizer.',
  },
  {
    id: 'weak-hash',
    title: 'MD5 or SHA-1 is used',
    pattern:
      /createHash\s*\(\s*["'](?:md5|sha1)["']|\bhashlib\.(?:md5|sha1)\s*\(|MessageDigest\.getInstance\s*\(\s*"(?:MD5|SHA-?1)"|\b(?:md5|sha1)\.New\s*\(/,
    on: 'raw',
    languages: any,
    severity: 'low',
    confidence: 'medium',
    fix: 'Use SHA-256, or a password hash for passwords; fine for checksums that no one attacks.',
  },
  {
    id: 'any-origin',
    title: 'Every origin may read the answers (CORS)',
    pattern: /Access-Control-Allow-Origin["']?\s*[,:=]\s*["']\*["']/i,
    on: 'raw',
    languages: any,
    severity: 'medium',
    confidence: 'medium',
    fix: 'Name the origins.',
  },
  {
    id: 'debug-on',
    title: 'Debug mode is switched on in code',
    pattern: /\bapp\.run\s*\([^)]*debug\s*=\s*True|^\s*DEBUG\s*=\s*True\b/,
    on: 'code',
    languages: python,
    severity: 'medium',
    confidence: 'medium',
    fix: 'Read it from the environment, off by default.',
  },
  {
    id: 'c-unbounded',
    title: 'An unbounded C string function',
    pattern: /(?<![\w.>])(?:gets|strcpy|strcat|sprintf|vsprintf)\s*\(/,
    on: 'code',
    languages: /^(C|C\+\+)$/,
    severity: 'medium',
    confidence: 'medium',
    fix: 'Use the variant that takes a size.',
  },
  {
    id: 'world-writable',
    title: 'Permissions for everybody',
    pattern: /\bchmod(?:Sync)?\b.*\b0?o?777\b/,
    on: 'raw',
    languages: any,
    severity: 'medium',
    confidence: 'medium',
    fix: 'Give the least permission that works.',
  },
  {
    id: 'curl-pipe-shell',
    title: 'A download is run unseen',
    pattern: /\b(?:curl|wget)\b[^|;&\n]*\|\s*(?:sudo\s+)?(?:ba|z)?sh\b/,
    on: 'raw',
    languages: /^(Shell|Dockerfile|Makefile|YAML)$/,
    severity: 'medium',
    confidence: 'high',
    fix: 'Download, check its hash, then run.',
  },
  {
    id: 'docker-latest',
    title: 'An image without a fixed version',
    pattern: /^FROM\s+[^\s:@]+(?::latest)?(?:\s+AS\s+\S+)?\s*$/i,
    on: 'raw',
    languages: /^Dockerfile$/,
    severity: 'low',
    confidence: 'medium',
    fix: 'Name a version, best with its digest.',
  },
];

/** Files that hold credentials by their name; samples of them are fine. */
export const sensitiveNames =
  /(^|\/)(\.env(\.(local|production|prod|staging))?|id_(rsa|dsa|ecdsa|ed25519)|\.htpasswd|\.netrc|\.pgpass|credentials(\.json)?|service[-_]account[^/]*\.json|[^/]+\.(pem|p12|pfx|jks|keystore|kdbx))$/i;
