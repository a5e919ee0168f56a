package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync"
)

// floor makes the two requests of a scan to every origin of a file, with
// net/http and nothing around it: "floor FILE IN-FLIGHT".
func floor(args []string) error {
	if len(args) != 2 {
		return errors.New("usage: floor FILE IN-FLIGHT")
	}
	inFlight, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	file, err := os.Open(args[0])
	if err != nil {
		return err
	}
	defer file.Close()
	origins := make(chan string)
	client := &http.Client{Transport: &http.Transport{MaxIdleConns: 256, DisableCompression: true}}
	var workers sync.WaitGroup
	var failed error
	var once sync.Once
	for range inFlight {
		workers.Go(func() {
			for origin := range origins {
				if err := probe(client, origin); err != nil {
					once.Do(func() { failed = err })
				}
			}
		})
	}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		origins <- lines.Text()
	}
	close(origins)
	workers.Wait()
	return errors.Join(failed, lines.Err())
}

func probe(client *http.Client, origin string) error {
	req, err := http.NewRequest(http.MethodHead, origin+"/v2/team/app/manifests/latest", nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/vnd.oci.image.manifest.v1+json")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	resp, err = client.Get(origin + "/v2/team/app/referrers/" + resp.Header.Get("Docker-Content-Digest"))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var list struct{ Manifests []json.RawMessage }
	if err := json.NewDecoder(resp.Body).Decode(&list); err != nil || len(list.Manifests) != 1 {
		return fmt.Errorf("%s: %d referrers, %w", origin, len(list.Manifests), err)
	}
	return nil
}
