// A defaulting webhook as controller-runtime serves it, metrics on; it needs no API server.
// Usage: controllerruntime PORT CERT_DIR
package main

import (
	"context"
	"log"
	"os"
	"strconv"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgo "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
)

type defaulter struct{}

func (defaulter) Default(_ context.Context, pod *core.Pod) error {
	if pod.Annotations == nil {
		pod.Annotations = map[string]string{}
	}
	pod.Annotations["iops-limit/read-iops"] = "500"
	return nil
}

func main() {
	ctrl.SetLogger(zap.New())
	scheme := runtime.NewScheme()
	if err := clientgo.AddToScheme(scheme); err != nil {
		log.Fatal(err)
	}
	port, err := strconv.Atoi(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	server := webhook.NewServer(webhook.Options{
		Host: "127.0.0.1", Port: port, CertDir: os.Args[2], CertName: "tls.crt", KeyName: "tls.key",
	})
	server.Register("/mutate", admission.WithDefaulter[*core.Pod](scheme, defaulter{}))
	log.Fatal(server.Start(ctrl.SetupSignalHandler()))
}
