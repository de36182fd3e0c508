import { describe, expect, it } from 'vitest';
import { Cloud66Error, NotFoundError, UnknownOutcomeError } from '../../../lib/cloud66/errors.ts';
import { connect, countsOf, FORMS, LION, NOW_MS, never, STACK_UID, TIGER, wish, workersOf } from './connect.ts';

describe.each(FORMS)('scaling through Cloud 66, $replyForm replies, seed $seed', (form) => {
  it('accepts absolute counts, works in the background, and shows the workers when it is done', async () => {
    const { host, scaler, clock, stack } = await connect(form);
    const answer = await scaler.scale(wish({ [LION]: 5, [TIGER]: 0 }), never());
    if (answer.kind !== 'accepted') throw new Error(`not accepted: ${answer.kind}`);
    const running = {
      id: answer.actionId,
      kind: 'process_scale',
      startedAtMs: NOW_MS,
      finishedAtMs: null,
      success: null,
      message: null,
      userReference: 'decision-7',
    };
    expect(await host.action(STACK_UID, answer.actionId, never())).toEqual({ kind: 'found', action: running });
    expect(countsOf(await workersOf(host))).toMatchObject({ lion: 2, tiger: 1 });

    clock.advanceBySeconds(60);
    const action = { ...running, finishedAtMs: NOW_MS + 60_000, success: true };
    expect(await host.action(STACK_UID, answer.actionId, never())).toEqual({ kind: 'found', action });
    expect(countsOf(await workersOf(host))).toMatchObject({ lion: 5, tiger: 0 });
    clock.advanceBySeconds(1);
    expect(stack.workers('worker')).toBe(5);
  });

  it('leaves a world unchanged that is asked for twice', async () => {
    const { host, scaler, clock } = await connect(form);
    for (let times = 0; times < 2; times += 1) {
      expect((await scaler.scale(wish({ [LION]: 3, [TIGER]: 3 }), never())).kind).toBe('accepted');
      clock.advanceBySeconds(60);
      expect(countsOf(await workersOf(host))).toMatchObject({ lion: 3, tiger: 3 });
    }
  });

  it('answers busy while the stack works, and nothing happens', async () => {
    const { scaler, stack } = await connect(form);
    stack.deploy(300);
    expect(await scaler.scale(wish({ [LION]: 3 }), never())).toMatchObject({
      kind: 'busy',
      detail: expect.stringContaining('another action of this stack is in progress'),
    });
    expect(stack.actions()).toHaveLength(1);
  });

  it.each([
    ['an unknown process', wish({ [LION]: 1 }, 'nobody'), NotFoundError],
    ['an unknown server', wish({ abc123: 1 }), Cloud66Error],
  ])('refuses %s', async (_name, request, errorClass) => {
    const { scaler, stack } = await connect(form);
    const answer = await scaler.scale(request, never());
    expect(answer.kind === 'refused' && answer.error).toBeInstanceOf(errorClass);
    expect(stack.actions()).toEqual([]);
  });

  it('is of unknown outcome when the answer is lost, and was carried out once', async () => {
    const { scaler, stack, account, clock } = await connect(form, {
      serving: { faults: ({ method }) => (method === 'POST' ? { kind: 'lose_answer' } : null) },
    });
    const answer = await scaler.scale(wish({ [LION]: 6 }), never());
    expect(answer.kind === 'unknown' && answer.error).toBeInstanceOf(UnknownOutcomeError);
    clock.advanceBySeconds(60);
    expect(stack.processes()[0]?.counts[LION]).toBe(6);
    expect(account.calls.writes()).toBe(1);
  });

  it.each(['hang', 'reset', 'cut_body', 'garbage'] as const)('never sends again after: %s', async (kind) => {
    const { scaler, account } = await connect(form, { serving: { faults: () => ({ kind }) } });
    expect((await scaler.scale(wish({ [LION]: 6 }), never())).kind).toBe('unknown');
    expect(account.calls.writes()).toBe(1);
  });

  it('lists the newest first, with those of other people and deployments', async () => {
    const { host, scaler, stack, clock } = await connect(form);
    stack.changeByHand('worker', { [LION]: 1 });
    stack.deploy(120);
    clock.advanceBySeconds(120);
    await scaler.scale(wish({ [LION]: 2 }), never());
    const reading = await host.actions(STACK_UID, never());
    expect(reading.kind === 'ok' && reading.value).toMatchObject([
      { kind: 'process_scale', finishedAtMs: null, success: null, userReference: 'decision-7' },
      { kind: 'stack_redeploy', finishedAtMs: NOW_MS + 120_000, success: true, userReference: null },
      { kind: 'process_scale', startedAtMs: NOW_MS, finishedAtMs: NOW_MS, userReference: null },
    ]);
  });

  it('reports a failed action with its message', async () => {
    const message = 'tiger could not be reached';
    const { host, scaler, clock } = await connect(form, {
      settings: { actionFault: () => ({ kind: 'fails', message }) },
    });
    await scaler.scale(wish({ [LION]: 2 }), never());
    clock.advanceBySeconds(60);
    expect(await host.action(STACK_UID, 1001, never())).toMatchObject({
      kind: 'found',
      action: { success: false, message, finishedAtMs: NOW_MS + 60_000 },
    });
  });

  it('says that an action is gone', async () => {
    const { host, scaler, clock } = await connect(form, {
      settings: { actionFault: () => ({ kind: 'vanishes', afterSeconds: 5, appliesChange: false }) },
    });
    await scaler.scale(wish({ [LION]: 2 }), never());
    clock.advanceBySeconds(5);
    expect(await host.action(STACK_UID, 1001, never())).toMatchObject({ kind: 'gone' });
  });

  it('does not take an unreadable action for a finished one', async () => {
    const { host } = await connect(form, { serving: { faults: () => ({ kind: 'garbage' }) } });
    expect(await host.action(STACK_UID, 1001, never())).toMatchObject({ kind: 'unreadable' });
  });
});
