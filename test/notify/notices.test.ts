import { describe, expect, it } from 'vitest';
import { createNotices, type Notice, type SeenState } from '../../lib/notify/notices.ts';
import { createPublisher, messageOf, subjectOf } from '../../lib/notify/sns.ts';

const NOW = Date.UTC(2026, 5, 1, 12);
const blind: SeenState = { kind: 'blind', text: 'nothing is known' };
const ending: SeenState = { kind: 'override_ending', text: 'ends soon' };

/** Shows a target in these states, one look a minute; what was told, by the minute. */
function told(looks: readonly (readonly SeenState[])[], stepSeconds = 60) {
  const notices = createNotices();
  return looks.map((states, index) => {
    notices.see('worker', states, NOW + index * stepSeconds * 1000);
    return notices
      .take()
      .map(({ kind }) => kind)
      .join();
  });
}

describe('a state', () => {
  it.each<[string, (readonly SeenState[])[], string[]]>([
    ['is told when it has lasted', [[blind], [blind], [blind], [blind], [blind]], ['', '', '', 'blind', '']],
    ["that was over before is nobody's business", [[blind], [blind], [], [], []], ['', '', '', '', '']],
    ['begins anew after an interruption', [[blind], [], [blind], [blind], [blind]], ['', '', '', '', '']],
    ['is told to be over', [[blind], [blind], [blind], [blind], []], ['', '', '', 'blind', 'recovered']],
    [
      'that announces something is told at once, and not told to be over',
      [[ending], [ending], []],
      ['override_ending', '', ''],
    ],
  ])('%s', (_title, looks, expected) => {
    expect(told(looks)).toEqual(expected);
  });

  it('is told again after six hours', () => {
    const looks = Array<readonly SeenState[]>(6 * 60 + 5).fill([blind]);
    expect(told(looks).flatMap((kinds, minute) => (kinds === '' ? [] : [minute]))).toEqual([3, 363]);
  });

  it('that was not looked at for long is a new one', () => {
    expect(told([[blind], [blind], [blind]], 1000)).toEqual(['', '', '']);
  });

  it('of one target says nothing of another', () => {
    const notices = createNotices();
    for (const [index, id] of ['a', 'b', 'a', 'b'].entries()) notices.see(id, [blind], NOW + index * 100_000);
    expect(notices.take()).toEqual([
      { kind: 'blind', targetId: 'a', text: 'nothing is known' },
      { kind: 'blind', targetId: 'b', text: 'nothing is known' },
    ]);
  });

  it('does not pile up without a limit', () => {
    const notices = createNotices();
    for (let at = 0; at < 5000; at += 1) notices.add({ kind: 'scaled', targetId: 'a', text: String(at) });
    expect(notices.take()).toHaveLength(200);
    expect(notices.take()).toEqual([]);
  });
});

describe('a message', () => {
  const notice = (text: string, targetId = 'worker'): Notice => ({ kind: 'at_maximum', targetId, text });

  it('has a subject of ASCII below 100 characters, whatever the target is called', () => {
    expect(subjectOf('prod', [notice('x')])).toBe('[prod] worker: at maximum');
    expect(subjectOf('prod', [notice('x'), notice('y'), notice('z')])).toBe('[prod] worker: at maximum (and 2 more)');
    expect(subjectOf('prod', [notice('x', 'ü'.repeat(300)), notice('y')])).toMatch(/^\[prod\] \?+ \(and 1 more\)$/);
    expect(subjectOf('prod', [notice('x', 'a'.repeat(300))])).toHaveLength(99);
  });

  it('is one for a storm, and counts what it leaves out', () => {
    const lines = messageOf(Array.from({ length: 90 }, (_, at) => notice(`line ${at}`))).split('\n');
    expect(lines).toHaveLength(41);
    expect(lines.at(-1)).toBe('… and 50 more');
  });

  it('is sent at most twelve times an hour; what waited goes into the next one', async () => {
    let nowMs = NOW;
    const sent: string[] = [];
    const publisher = createPublisher({
      postForm: async ({ form, endpoint }) => {
        expect(endpoint).toBe('https://sns.eu-west-1.amazonaws.com');
        sent.push(form.get('Message') ?? '');
        return { status: 200, text: '' };
      },
      topicArn: 'arn:aws:sns:eu-west-1:123456789012:alerts',
      stage: 'prod',
      clock: { nowMs: () => nowMs },
    });
    const signal = new AbortController().signal;
    for (let minute = 0; minute < 30; minute += 1) {
      nowMs = NOW + minute * 60_000;
      await publisher.publish([notice(`minute ${minute}`)], signal);
    }
    expect(sent).toHaveLength(12);
    nowMs = NOW + 61 * 60_000;
    expect(await publisher.publish([], signal)).toBe(1);
    expect(sent.at(-1)?.split('\n')).toHaveLength(18);
    expect(await publisher.publish([], signal)).toBe(0);
  });

  it('that was not taken is kept for the next one', async () => {
    const statuses = [500, 200];
    const bodies: (string | null)[] = [];
    const publisher = createPublisher({
      postForm: async ({ form }) => {
        bodies.push(form.get('Message'));
        return { status: statuses.shift() ?? 0, text: '<Code>InternalError</Code><Message>later</Message>' };
      },
      topicArn: 'arn:aws-cn:sns:cn-north-1:123456789012:alerts',
      stage: 'prod',
      clock: { nowMs: () => NOW },
    });
    const signal = new AbortController().signal;
    await expect(publisher.publish([notice('first')], signal)).rejects.toThrow('InternalError: later');
    await publisher.publish([notice('second')], signal);
    expect(bodies.at(-1)?.split('\n')).toHaveLength(2);
  });
});
