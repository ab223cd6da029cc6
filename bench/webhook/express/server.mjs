// A webhook as most are written: express, express.json, a log line for each request by pino-http.
// Usage: node server.mjs PORT CERT KEY
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import express from 'express'
import { pinoHttp } from 'pino-http'

const [port, cert, key] = process.argv.slice(2)

const app = express()
app.use(pinoHttp())
app.use(express.json({ limit: '7mb' }))
app.post('/mutate', (req, res) => {
  const { apiVersion, kind, request } = req.body
  res.json({ apiVersion, kind, response: { uid: request.uid, allowed: true } })
})
createServer({ cert: readFileSync(cert), key: readFileSync(key) }, app).listen(Number(port), '127.0.0.1')
