#!/usr/bin/env bash
# A night of a simulated camera, from raw frames to calibrated sources.
# Usage: demo.sh DIRECTORY. Called again with the same directory it finds everything done.
set -euo pipefail

demo=${1:?usage: demo.sh DIRECTORY}
pipelines=$(python -c 'import pipelines; print(list(pipelines.__path__)[0])')
night=$demo/night
export REPO=$demo/repo

say() { printf '\n== %s\n' "$*"; }

say "A simulated night of LATISS, with its reference catalogue"
python -m pipelines.simulated_night "$night" -j 2

if [ ! -e "$REPO/butler.yaml" ]; then
  say "A data repository, an instrument, raw frames, visits"
  butler create "$REPO"
  butler register-instrument "$REPO" lsst.obs.lsst.Latiss
  butler ingest-raws --transfer symlink -j 2 "$REPO" "$night/raw/2021-07-07"
  butler define-visits "$REPO" LATISS
  butler write-curated-calibrations "$REPO" LATISS

  say "The reference catalogue"
  butler register-dataset-type "$REPO" gaia_dr2_20191105 SimpleCatalog htm7
  butler ingest-files -t direct "$REPO" gaia_dr2_20191105 refcats "$night/refcats/gaia_dr2_20191105.ecsv"
fi

for kind in bias dark flat; do
  if ! butler query-collections "$REPO" "LATISS/made/$kind" 2> /dev/null | grep -q CHAINED; then
    say "Build and certify: $kind"
    pipetask run -b "$REPO" -p "$pipelines/latiss/calibrations.yaml#$kind" -j 2 --register-dataset-types \
      -i LATISS/raw/all,LATISS/calib -o "LATISS/made/$kind" -d "exposure.observation_type='$kind'"
    butler certify-calibrations "$REPO" "LATISS/made/$kind" LATISS/calib "$kind" \
      --begin-date 2021-07-01T00:00:00 --end-date 2021-08-01T00:00:00
  fi
done

say "The night"
extend=()
if butler query-collections "$REPO" demo/night 2> /dev/null | grep -q CHAINED; then extend=(--extend-run); else
  extend=(-i LATISS/raw/all,LATISS/calib,refcats); fi
pipetask run -b "$REPO" -p "$pipelines/latiss/night.yaml" -j 2 --register-dataset-types -o demo/night \
  "${extend[@]}" -d "exposure.observation_type='science'" \
  --pipeline-dot "$demo/pipeline.dot" --pipeline-mermaid "$demo/pipeline.mmd" \
  --qgraph-dot "$demo/quanta.dot" --qgraph-mermaid "$demo/quanta.mmd"

say "Collections"
butler query-collections "$REPO" demo/night --chains=TREE

say "What came of it"
python -m pipelines.night_report "$REPO" demo/night --picture "$demo/night.png"
