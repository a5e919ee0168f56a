package matrix

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
)

// maxShards bounds N of I/N.
const maxShards = 10_000

// ShardOf gives the shard, 0 to n-1, that the registry called name belongs to.
// It depends on the name alone (FNV-1a), so that all images of a registry,
// and with them its limits, stay in one shard, whatever else the inventory
// holds.
func ShardOf(name string, n int) int {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	return int(h.Sum64() % uint64(n))
}

// ParseShard reads "I/N", I from 1 to N.
func ParseShard(text string) (index, count int, err error) {
	i, n, ok := strings.Cut(text, "/")
	index, err1 := strconv.Atoi(i)
	count, err2 := strconv.Atoi(n)
	if !ok || err1 != nil || err2 != nil || count < 1 || count > maxShards || index < 1 || index > count {
		return 0, 0, fmt.Errorf("shard %q: write I/N with I from 1 to N, such as 2/4", text)
	}
	return index, count, nil
}

// ShardFromEnv gives "I/N" from the variables of an indexed job, whose index
// begins at 0: JOB_COMPLETION_INDEX, which Kubernetes sets, and
// JOB_COMPLETION_COUNT, which the job's author sets beside it. ok is false
// where the count is not set.
func ShardFromEnv(getenv func(string) string) (shard string, ok bool, err error) {
	index, count := getenv("JOB_COMPLETION_INDEX"), getenv("JOB_COMPLETION_COUNT")
	if count == "" || index == "" {
		return "", false, nil
	}
	i, err := strconv.Atoi(index)
	if err != nil {
		return "", false, fmt.Errorf("JOB_COMPLETION_INDEX %q is not a number", index)
	}
	shard = fmt.Sprintf("%d/%s", i+1, count)
	if _, _, err := ParseShard(shard); err != nil {
		return "", false, fmt.Errorf("JOB_COMPLETION_INDEX %q and JOB_COMPLETION_COUNT %q name no shard: the index runs from 0 to the count less 1", index, count)
	}
	return shard, true, nil
}
