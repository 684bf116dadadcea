import type { JobEvent } from '../round/events.ts';

/** One event of a job as a line for people. */
export function describeEvent(event: JobEvent): string {
  return `${new Date(event.at).toISOString()}  ${sentence(event)}`;
}

function sentence(event: JobEvent): string {
  switch (event.type) {
    case 'participantJoined':
      return `${event.participant} is there`;
    case 'participantLeft':
      return `${event.participant} has gone`;
    case 'updateAccepted':
      return `round ${event.receipt.round}: update of ${event.participant} accepted`;
    case 'updateRefused': {
      const { round, verdict, code } = event.receipt;
      return `round ${round}: update of ${event.participant} ${verdict} (${code})`;
    }
    case 'roundDeclined':
      return `round ${event.round}: ${event.participant} declined (${event.code}: ${event.message})`;
    case 'deadlinePassed':
      return `round ${event.round}: the deadline has passed`;
    case 'pauseEnded':
      return `round ${event.round}: tried again after a pause`;
    case 'roundAggregated': {
      const { round, participants, modelRoot } = event.record;
      return `round ${round}: ${participants} updates aggregated in ${Math.round(event.closeMs)} ms, model ${modelRoot}`;
    }
    case 'aggregationFailed':
      return `round ${event.round}: could not be aggregated (${event.code}: ${event.message})`;
    case 'roundAnchored':
      return `round ${event.round}: on chain in block ${event.blockNumber}, ${event.gasUsed} gas, ${event.transactionHash}`;
    case 'roundsRewound': {
      const { firstRound, lastRound, minAttempt } = event;
      const rounds = firstRound === lastRound ? `round ${firstRound} was` : `rounds ${firstRound} to ${lastRound} were`;
      return `${rounds} taken back by the chain: the job goes on from round ${firstRound - 1}, attempt ${minAttempt} or later`;
    }
    case 'headAttested':
      return `round ${event.round}: attested by ${event.participant}`;
    case 'bondFellShort':
      return `no round opens: the coordinator's bond is ${event.held}, ${event.needed} are needed`;
    case 'bondRestored':
      return "the coordinator's bond suffices again";
    case 'coordinatorRestarted':
      return 'the coordinator was started again';
    case 'metricsReported': {
      const { round, participant, correct, total, energy } = event;
      const about = energy?.estimated ? 'about ' : '';
      const used = energy ? `, ${about}${(energy.millijoules / 1000).toFixed(1)} J since its last report` : '';
      return `round ${round}: ${participant} measures ${correct} of ${total} right${used}`;
    }
    case 'jobPaused':
      return `paused by ${event.by}${because(event.reason)}`;
    case 'jobResumed':
      return `resumed by ${event.by}${because(event.reason)}`;
    case 'jobStopped':
      return `stopped by ${event.by}${because(event.reason)}`;
    case 'participantBanned':
      return `${event.participant} banned by ${event.by}${because(event.reason)}`;
    case 'participantAllowed':
      return `${event.participant} allowed again by ${event.by}${because(event.reason)}`;
  }
}

function because(reason: string): string {
  return reason === '' ? '' : `: ${reason}`;
}
