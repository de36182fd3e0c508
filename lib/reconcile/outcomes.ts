/** A sentence for every way an action can end: what it means and what to do. Shown in the README. */
import type { OutcomeKind } from '../domain.ts';

/** What each outcome means. */
export const OUTCOMES: Readonly<Record<OutcomeKind, string>> = {
  confirmed: 'The action finished, succeeded, and the workers were seen on every server as asked. Nothing to do.',
  mismatched:
    'The action succeeded, but other counts were seen. "Superseded by action N": a later change of the process explains ' +
    'them, nothing to do. Without that, a minute has passed: somebody else changed them, or a server is in trouble; the ' +
    'next decision starts from what is really there.',
  failed: 'Cloud 66 says that the action failed; its message is in the record. The next pass tries again.',
  timed_out:
    'The action did not end, or could not be read, within ACTION_TIMEOUT_SECONDS. Look at it in the Cloud 66 ' +
    'dashboard; it no longer holds back the next change.',
  lost: 'Cloud 66 does not know the action any more. The next decision starts from what is really there.',
};
