// What the webhook's image starts: no argument or an option first is the webhook, a word first is the command-line tool.
const [argument] = process.argv.slice(2)
const isOption = argument === undefined || argument.startsWith('-')
await import(isOption ? './iops-limit-webhook.js' : './iops-limit.js')
