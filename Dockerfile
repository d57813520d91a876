# docker build -t rtmfp-server . ; then see docs/deploy.md, and why it wants --network host.
FROM node:20-slim AS build
WORKDIR /src
COPY . .
RUN npx -y pnpm@10.34.9 install --frozen-lockfile && npx -y pnpm@10.34.9 tarballs --out /packages

FROM node:20-slim
WORKDIR /app
COPY --from=build /packages /packages
RUN npm install --omit=dev --no-audit --no-fund /packages/*.tgz && rm -r /packages
# For --identity and --config; the only place that the server writes to.
RUN mkdir /data && chown node:node /data
VOLUME /data
USER node
EXPOSE 1935/udp 8935/tcp
HEALTHCHECK --start-period=10s CMD ["node", "-e", "const t = process.env.RTMFP_HTTP_TOKEN; fetch('http://127.0.0.1:8935/api/health', { headers: t ? { authorization: 'Bearer ' + t } : {} }).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "node_modules/rtmfp-server/bin/rtmfp-server.js"]
CMD ["--identity", "/data/identity"]
