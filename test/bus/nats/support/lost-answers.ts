import { TroupeError } from '../../../../src/core/errors.ts';
import type { NatsLink, RawRequest } from '../../../../src/bus/nats/link.ts';

/** A link that loses answers. */
export interface LossyLink extends NatsLink {
  /** Answers lost so far. */
  readonly lost: number;
}

/**
 * The first answer to each request on the subjects that fit gets lost on its way: the server has acted.
 * @param meanwhile happens before the sender gives the answer up
 */
export function loseAnswers(
  link: NatsLink,
  fits: (subject: string) => boolean,
  meanwhile: () => Promise<void> = () => Promise.resolve(),
): LossyLink {
  const seen = new Set<string>();
  let lost = 0;
  const request = async (raw: RawRequest): ReturnType<NatsLink['request']> => {
    const key = `${raw.subject} ${raw.headers?.get('Nats-Msg-Id') ?? Buffer.from(raw.data).toString()}`;
    const answer = await link.request(raw);
    if (!fits(raw.subject) || seen.has(key)) return answer;
    seen.add(key);
    lost++;
    await meanwhile();
    throw new TroupeError('TRP_BUS_TIMEOUT', 'The answer was lost.', { errorClass: 'timeout' });
  };
  return new Proxy(link, {
    get: (target, name) => {
      if (name === 'request') return request;
      if (name === 'lost') return lost;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  }) as LossyLink;
}
