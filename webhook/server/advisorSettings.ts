/** Settings of the advisor. */
import { duration, optionalText, text, toggle, wholeNumber } from '../../settings/option.ts'
import { bounded, HOUR } from './bounds.ts'

export const ADVISOR_OPTIONS = {
  advisor: toggle({
    flag: 'advisor',
    env: 'ADVISOR',
    help: "impose and release the limits of policies' adaptive rules, by what the enforcers tell of usage; one replica does",
  }),
  advisorInterval: bounded(
    { min: 1000, max: 24 * HOUR, why: 'is not between 1s and 24h' },
    duration({
      flag: 'advisor-interval',
      env: 'ADVISOR_INTERVAL',
      help: "how often it looks; shorter than the enforcers' USAGE_INTERVAL, lest a sample be missed",
      default: '45s',
    }),
  ),
  advisorLease: text({
    flag: 'advisor-lease',
    env: 'ADVISOR_LEASE',
    placeholder: 'NAME',
    help: 'the Lease by which one replica becomes the advisor',
    default: 'iops-limit-advisor',
  }),
  advisorTokenFile: optionalText({
    flag: 'advisor-token-file',
    env: 'ADVISOR_TOKEN_FILE',
    placeholder: 'FILE',
    help: 'the token that it shows the enforcers, read anew each time; make it out to them alone (their API_AUDIENCE); none if not given',
  }),
  enforcerSelector: text({
    flag: 'enforcer-selector',
    env: 'ENFORCER_SELECTOR',
    placeholder: 'SELECTOR',
    help: "labels of the enforcers' pods, in --webhook-namespace",
    default: 'app.kubernetes.io/name=iops-limit,app.kubernetes.io/component=enforcer',
  }),
  enforcerPort: wholeNumber(
    { min: 1, max: 65_535 },
    {
      flag: 'enforcer-port',
      env: 'ENFORCER_PORT',
      placeholder: 'PORT',
      help: 'where they answer /api/v1',
      default: 8081,
    },
  ),
}
