// The floor: a bare HTTPS server that only parses a review and answers it.
// Usage: node floor.mjs PORT CERT KEY
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'

const [port, cert, key] = process.argv.slice(2)

createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (req, res) => {
  const chunks = []
  req.on('data', (chunk) => chunks.push(chunk))
  req.on('end', () => {
    const { apiVersion, kind, request } = JSON.parse(Buffer.concat(chunks).toString())
    const body = JSON.stringify({ apiVersion, kind, response: { uid: request.uid, allowed: true } })
    res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) })
    res.end(body)
  })
}).listen(Number(port), '127.0.0.1')
