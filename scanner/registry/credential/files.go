package credential

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// Files are the files of this machine in which docker and podman keep accounts.
// Each is read once, when it is first needed.
type Files struct {
	authFile, dockerConfig func() (*Config, error)
}

// NewFiles returns the files that the environment names.
func NewFiles() *Files {
	return &Files{
		authFile:     sync.OnceValues(readAuthFile),
		dockerConfig: sync.OnceValues(readDockerConfig),
	}
}

// Locate returns the source of the account for a repository at host:
// $REGISTRY_AUTH_FILE, which is named on purpose and so comes first, else the
// docker config. It runs no helper. A docker config that cannot be read is an
// error only if the auth file has no account.
func (f *Files) Locate(host, repository string) (Source, error) {
	named, err := f.authFile()
	if err != nil {
		return Source{}, err
	}
	source := named.Locate(host, repository)
	if source.config != nil {
		return source, nil
	}
	docker, err := f.dockerConfig()
	if source.helper == "" {
		if err != nil {
			return Source{}, err
		}
		return docker.Locate(host, repository), nil
	}
	// Whether the helper knows an account is not known yet.
	if source.nextErr = err; err == nil {
		next := docker.Locate(host, repository)
		source.next = &next
	}
	return source, nil
}

// readAuthFile reads the file that $REGISTRY_AUTH_FILE names. A file that is
// named and absent is an error.
func readAuthFile() (*Config, error) {
	path := os.Getenv("REGISTRY_AUTH_FILE")
	if path == "" {
		return parse(nil, authFile)
	}
	return readFile(path, authFile)
}

// DockerConfigPath returns where the docker config is: $DOCKER_CONFIG/config.json or
// ~/.docker/config.json. The error says that the home directory is not known.
func DockerConfigPath() (string, error) {
	if dir := os.Getenv("DOCKER_CONFIG"); dir != "" {
		return filepath.Join(dir, "config.json"), nil
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, ".docker", "config.json"), err
}

// readDockerConfig reads the docker config. A file that is absent is empty.
func readDockerConfig() (*Config, error) {
	path, err := DockerConfigPath()
	if err != nil {
		return parse(nil, dockerConfig)
	}
	config, err := readFile(path, dockerConfig)
	if errors.Is(err, fs.ErrNotExist) {
		return parse(nil, dockerConfig)
	}
	return config, err
}

func readFile(path string, of kind) (*Config, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", of.text, err)
	}
	config, err := parse(content, of)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: it %w", of.text, err)
	}
	return config, nil
}
