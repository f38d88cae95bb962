#!/usr/bin/env bash
echo "training $*"
